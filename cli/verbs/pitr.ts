import { z } from "zod";
import { recoveredDatabaseName, recoveredName } from "../../model/point-in-time/recovered-names";
import {
  copyTableResultSchema,
  recoveryInstanceResultSchema,
  type RecoveryInstance,
} from "../../model/point-in-time/protocol";
import { parseTarget, type RecoveryTarget } from "../../model/point-in-time/recovery-target";
import { restoreResultSchema } from "../../model/restore/protocol";
import { unquoteIdentifier } from "../../model/base/sql";
import { commandAgent, findAgent, showProgress } from "../server/agent";
import { askAgent, dockerOnTerminal } from "../server/docker";
import { Problem } from "../base/problem";
import { readStackFile } from "../project/stack-file";
import { stackKinds, type StackName } from "../project/stacks";
import { copiedTableText, recoveryInstanceText } from "../text/recovery-instance";

/** For a program instead of a person. */
interface Json {
  readonly json?: boolean;
}

/** `stagecraft side <stack>`: which side cluster there is. */
export async function runPitrStatus(
  folder: string,
  stack: StackName,
  { json }: Json,
): Promise<void> {
  const found = await findRecoveryInstance(folder, stack);
  if (json) console.log(JSON.stringify(found ?? null));
  else if (found) console.log(recoveryInstanceText(stack, found, new Date()));
  else
    console.log(
      `${stack} has no side cluster; make one: npx stagecraft restore ${stack} --to "2026-11-21 14:05"`,
    );
}

/** `stagecraft side <stack> psql`: looks into it; nothing can be changed there. */
export async function runPitrPsql(
  folder: string,
  stack: StackName,
  database: string | undefined,
  args: readonly string[],
): Promise<number> {
  const { host, agent } = await findAgent(folder, stack);
  const terminal = process.stdin.isTTY && process.stdout.isTTY;
  return dockerOnTerminal(host, [
    ...["exec", "--interactive", ...(terminal ? ["--tty", "--env", "TERM"] : [])],
    ...[agent, "stagecraft-agent", "side-psql", database ?? ownDatabase(folder, stack), ...args],
  ]);
}

/** `stagecraft side <stack> copy-table`: its rows in a new table of the server. */
export async function runPitrCopyTable(
  folder: string,
  stack: StackName,
  table: string,
  options: Json & { readonly database?: string; readonly as?: string },
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
  const result = await commandAgent(await findAgent(folder, stack), {
    ...{ verb: "side-copy-table", request, answer: copyTableResultSchema, onLine: showProgress() },
  });
  console.log(options.json ? JSON.stringify(result) : copiedTableText(database, result));
}

/** `stagecraft side <stack> copy-database`: the whole database under another name, or in its own place. */
export async function runPitrCopyDatabase(
  folder: string,
  stack: StackName,
  name: string | undefined,
  options: Json & { readonly as?: string; readonly replace?: boolean },
): Promise<number> {
  const { to } = await requireRecoveryInstance(folder, stack);
  const database = name ?? ownDatabase(folder, stack);
  const replace = options.replace === true;
  const under = options.as ?? (replace ? database : recoveredDatabaseName(database, targetOf(to)));
  const request = { kind: stackKinds[stack], database, to: under, replace };
  const result = await commandAgent(await findAgent(folder, stack), {
    ...{ verb: "side-copy-database", request, answer: restoreResultSchema, onLine: showProgress() },
  });
  console.log(options.json ? JSON.stringify(result) : result.text);
  return result.result === "failed" ? 1 : 0;
}

/** `stagecraft side <stack> remove`. */
export async function runPitrRemove(
  folder: string,
  stack: StackName,
  { json }: Json,
): Promise<void> {
  const { host, agent } = await findAgent(folder, stack);
  const answer: unknown = JSON.parse(await askAgent(host, agent, "side-remove"));
  const { removed } = z.object({ removed: z.boolean() }).parse(answer);
  if (json) console.log(JSON.stringify({ removed }));
  else
    console.log(removed ? `the side cluster of ${stack} is gone` : `${stack} had no side cluster`);
}

async function findRecoveryInstance(
  folder: string,
  stack: StackName,
): Promise<RecoveryInstance | undefined> {
  const { host, agent } = await findAgent(folder, stack);
  const answer: unknown = JSON.parse(await askAgent(host, agent, "side"));
  return recoveryInstanceResultSchema.parse(answer).side ?? undefined;
}

async function requireRecoveryInstance(
  folder: string,
  stack: StackName,
): Promise<RecoveryInstance> {
  const found = await findRecoveryInstance(folder, stack);
  if (found) return found;
  throw new Problem(
    `${stack} has no side cluster`,
    `npx stagecraft restore ${stack} --to "2026-11-21 14:05"`,
  );
}

/** It was read once when it was asked for. */
function targetOf(to: string): RecoveryTarget {
  const target = parseTarget(to);
  return "problem" in target ? { kind: "latest" } : target;
}

function ownDatabase(folder: string, stack: StackName): string {
  const name = readStackFile(folder, stack).settings.database?.name;
  if (name !== undefined) return name;
  throw new Problem(`Pulumi.${stack}.yaml names no database`, "npx stagecraft doctor");
}

/** `table`, or `schema.table`, of which either may be in quotes; else in small letters, as SQL reads them. */
export function readTable(text: string): { readonly schema: string; readonly table: string } {
  const part = '(?:"(?:[^"]|"")+"|[^".]+)';
  const match = new RegExp(`^(?:(${part})\\.)?(${part})$`).exec(text);
  const table = match?.[2];
  if (table === undefined) {
    throw new Problem(
      `a table is given as table or schema.table, with "" around odd names, got ${text}`,
    );
  }
  return { schema: unquoteIdentifier(match?.[1] ?? "public"), table: unquoteIdentifier(table) };
}
