import { databaseSchema } from "../../model/stack-file/schema";
import { call, type AgentAddress } from "../../engine/agent-client";
import { exitStatus, type ExitStatus } from "../base/exit-status";
import { Rejection } from "../base/problem";
import { readStackFile } from "../project/stack-file";
import { stackKinds, type StackName } from "../project/stacks";
import { findAgent, showProgress } from "../server/agent";
import { fetchOffsiteCopy, readIdentity } from "./offsite";

/** Options of `stagecraft recover`. */
export interface RecoverOptions {
  /** Id of the backup. @default for each database the newest verified one that has it */
  readonly backup?: string | undefined;
  /** Names of databases. @default all that are missing */
  readonly database?: readonly string[] | undefined;
  /** File with the private key of the off-site copies: the backup is fetched first. */
  readonly identity?: string | undefined;
  readonly acceptUnverified?: boolean | undefined;
  readonly accept?: string | undefined;
  readonly json?: boolean | undefined;
}

/** `stagecraft recover`: restores databases that are in a server's backups and missing on the server. Returns the exit status. */
export async function runRecover(
  folder: string,
  stack: StackName,
  options: RecoverOptions,
): Promise<ExitStatus> {
  const { identity, accept, json = false } = options;
  const { name, roles } = readStackFile(folder, stack).settings.database ?? {};
  if (name === undefined)
    throw new Rejection(`Pulumi.${stack}.yaml has no database.name`, "npx stagecraft doctor");
  const agent = await findAgent(folder, stack);
  const backup =
    identity === undefined ? options.backup : await fetchBackup(agent, stack, identity, options);
  const { others, text } = await call(agent, "recover", {
    request: {
      kind: stackKinds[stack],
      own: { database: name, roles: databaseSchema.shape.roles.parse(roles) },
      backup,
      databases: options.database === undefined ? undefined : [...options.database],
      // A copy that was fetched for this has its verification only where this server has made it.
      acceptUnverified: options.acceptUnverified ?? identity !== undefined,
      accept,
    },
    onLine: showProgress(),
  });
  console.log(json ? JSON.stringify(others, null, 2) : text);
  const hasFailed = others.databases.some(({ result }) => result === "failed");
  return hasFailed ? exitStatus.failed : exitStatus.done;
}

/** Fetches the off-site copy of the backup, or the newest one, unless it is on the server; its id. */
async function fetchBackup(
  agent: AgentAddress,
  stack: StackName,
  file: string,
  { backup, accept }: RecoverOptions,
): Promise<string> {
  const { copies, place } = await call(agent, "offsite", { request: { of: stack } });
  const id = backup ?? copies.at(-1)?.id;
  if (id === undefined)
    throw new Rejection(`${place} has no copies`, `npx stagecraft backups offsite ${stack}`);
  const identity = readIdentity(file, stack, id);
  if (copies.find((copy) => copy.id === id)?.isHere !== true)
    await fetchOffsiteCopy(agent, stack, { id, of: stack, identity, accept });
  return id;
}
