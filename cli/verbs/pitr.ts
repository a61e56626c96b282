import { recoveredDatabaseName, recoveredName } from "../../model/point-in-time/recovered-names";
import { type RecoveryInstance } from "../../model/point-in-time/protocol";
import { parseTarget, type RecoveryTarget } from "../../model/point-in-time/recovery-target";
import { previousVersionName } from "../../model/base/names";
import { unquoteIdentifier } from "../../model/base/sql";
import { call, callOnTerminal } from "../../engine/agent-client";
import { findAgent, showProgress } from "../server/agent";
import { exitStatus } from "../base/exit-status";
import { Cancelled, Rejection } from "../base/problem";
import { ask, canAsk } from "../terminal/ask";
import { readStackFile } from "../project/stack-file";
import { stackKinds, type StackName } from "../project/stacks";
import {
  copiedTableText,
  recoveryInstanceText,
  restoredTableText,
} from "../text/recovery-instance";

interface JsonOption {
  /** Print JSON. */
  readonly json?: boolean;
}

/** `stagecraft pitr <stack> status`: shows the recovery instance. */
export async function runPitrStatus(
  folder: string,
  stack: StackName,
  { json }: JsonOption,
): Promise<void> {
  const found = await findRecoveryInstance(folder, stack);
  if (json) console.log(JSON.stringify(found ?? null));
  else if (found) console.log(recoveryInstanceText(stack, found, new Date()));
  else console.log(`${missingText(stack)}; create one: ${createCommand(stack)}`);
}

/** `stagecraft pitr <stack> psql`: a read-only psql session on the recovery instance. Returns psql's exit status. */
export async function runPitrPsql(
  folder: string,
  stack: StackName,
  database: string | undefined,
  args: readonly string[],
): Promise<number> {
  const agent = await findAgent(folder, stack);
  return callOnTerminal(agent, "side-psql", {
    args: { words: [database ?? ownDatabase(folder, stack), ...args] },
    interactive: true,
    tty: process.stdin.isTTY && process.stdout.isTTY,
  });
}

/** `stagecraft pitr <stack> copy-table`: copies the rows of a table into a new table of the server. */
export async function runPitrCopyTable(
  folder: string,
  stack: StackName,
  table: string,
  options: JsonOption & { readonly database?: string; readonly as?: string },
): Promise<void> {
  const { to } = await requireRecoveryInstance(folder, stack);
  const from = readTable(table);
  const as = options.as === undefined ? undefined : readTable(options.as);
  const database = options.database ?? ownDatabase(folder, stack);
  const request = {
    ...{ database, schema: from.schema, table: from.table },
    toSchema: as?.schema ?? from.schema,
    toTable: as?.table ?? recoveredName(from.table, targetOf(to)),
  };
  const result = await call(await findAgent(folder, stack), "side-copy-table", {
    request,
    onLine: showProgress(),
  });
  console.log(options.json ? JSON.stringify(result) : copiedTableText(database, result));
}

/** `stagecraft pitr <stack> restore-table`: brings a dropped table back in its place. */
export async function runPitrRestoreTable(
  folder: string,
  stack: StackName,
  table: string,
  options: JsonOption & { readonly database?: string },
): Promise<void> {
  await requireRecoveryInstance(folder, stack);
  const database = options.database ?? ownDatabase(folder, stack);
  const result = await call(await findAgent(folder, stack), "side-restore-table", {
    request: { database, ...readTable(table) },
    onLine: showProgress(),
  });
  console.log(options.json ? JSON.stringify(result) : restoredTableText(database, result));
}

/** `stagecraft pitr <stack> copy-database`: copies a database under another name, or over the original. Returns the exit status. */
export async function runPitrCopyDatabase(
  folder: string,
  stack: StackName,
  name: string | undefined,
  options: JsonOption & {
    readonly as?: string;
    readonly replace?: boolean;
    readonly confirm?: string;
  },
): Promise<number> {
  const { to } = await requireRecoveryInstance(folder, stack);
  const database = name ?? ownDatabase(folder, stack);
  const replace = options.replace === true;
  const target = options.as ?? (replace ? database : recoveredDatabaseName(database, targetOf(to)));
  const confirm = options.confirm ?? (await confirmProduction(stack, target, replace));
  const request = { kind: stackKinds[stack], database, to: target, replace, confirm };
  const result = await call(await findAgent(folder, stack), "side-copy-database", {
    request,
    onLine: showProgress(),
  });
  console.log(options.json ? JSON.stringify(result) : result.text);
  return result.result === "failed" ? exitStatus.failed : exitStatus.done;
}

/** Has an operator type the name of production's database that is to be replaced. */
async function confirmProduction(
  stack: StackName,
  database: string,
  replace: boolean,
): Promise<string | undefined> {
  if (!replace || stackKinds[stack] !== "production" || !canAsk()) return undefined;
  const answer = await ask(
    `This replaces the database ${database} of ${stack}. All changes since then are only in ${previousVersionName(database)} afterwards.\nType the name of the database to continue: `,
  );
  if (answer === database) return answer;
  throw new Cancelled();
}

/** `stagecraft pitr <stack> remove`: removes the recovery instance. */
export async function runPitrRemove(
  folder: string,
  stack: StackName,
  { json }: JsonOption,
): Promise<void> {
  const { removed } = await call(await findAgent(folder, stack), "side-remove", {});
  if (json) console.log(JSON.stringify({ removed }));
  else console.log(removed ? `the recovery instance of ${stack} was removed` : missingText(stack));
}

async function findRecoveryInstance(
  folder: string,
  stack: StackName,
): Promise<RecoveryInstance | undefined> {
  const { side } = await call(await findAgent(folder, stack), "side", {});
  return side ?? undefined;
}

async function requireRecoveryInstance(
  folder: string,
  stack: StackName,
): Promise<RecoveryInstance> {
  const found = await findRecoveryInstance(folder, stack);
  if (found) return found;
  throw new Rejection(missingText(stack), createCommand(stack));
}

function missingText(stack: StackName): string {
  return `${stack} has no recovery instance`;
}

function createCommand(stack: StackName): string {
  return `npx stagecraft pitr ${stack} --to "2026-11-21 14:05"`;
}

/** The target of a recovery instance; it was valid when the instance was created. */
function targetOf(to: string): RecoveryTarget {
  const target = parseTarget(to);
  return "problem" in target ? { kind: "latest" } : target;
}

function ownDatabase(folder: string, stack: StackName): string {
  const name = readStackFile(folder, stack).settings.database?.name;
  if (name !== undefined) return name;
  throw new Rejection(`Pulumi.${stack}.yaml has no database.name`, "npx stagecraft doctor");
}

/** Parses `table` or `schema.table`. As in SQL, a name is folded to lower case unless it is in double quotes. */
export function readTable(text: string): { readonly schema: string; readonly table: string } {
  const part = '(?:"(?:[^"]|"")+"|[^".]+)';
  const match = new RegExp(`^(?:(${part})\\.)?(${part})$`).exec(text);
  const table = match?.[2];
  if (table === undefined) {
    throw new Rejection(
      `the table must be table or schema.table, with names that need it in double quotes, got ${text}`,
    );
  }
  return { schema: unquoteIdentifier(match?.[1] ?? "public"), table: unquoteIdentifier(table) };
}
