import { readFile } from "node:fs/promises";
import path from "node:path";
import { Client } from "pg";
import {
  recoveryInstanceSchema,
  type RecoveryInstance,
} from "../../../model/point-in-time/protocol";
import { AgentError, messageOf } from "../../system/errors";
import { sessionOptions } from "../../postgres/connect";
import { stateFolder } from "../../system/state-folder";
import { readTextIfExists } from "../../system/atomic-file";

/** The server as it was, beside it: one at a time, in the agent's volume. */
export const instanceFolder = path.join(stateFolder, "side");

/** What is in its folder. */
export const instanceFiles = {
  data: path.join(instanceFolder, "data"),
  /** For its socket, which only the agent's user can reach. */
  run: path.join(instanceFolder, "run"),
  tablespaces: path.join(instanceFolder, "tablespaces"),
  config: path.join(instanceFolder, "side.conf"),
  hba: path.join(instanceFolder, "hba.conf"),
  log: path.join(instanceFolder, "log"),
  /** Written last: what is without it was never done. */
  facts: path.join(instanceFolder, "side.json"),
  /** Who is making it. */
  maker: path.join(instanceFolder, "maker"),
} as const;

/** The side cluster that is there; `undefined` when there is none, or it is not done. */
export async function readInstance(): Promise<RecoveryInstance | undefined> {
  const text = await readTextIfExists(instanceFiles.facts);
  return text === undefined ? undefined : recoveryInstanceSchema.parse(JSON.parse(text));
}

/** The same, where one is needed. */
export async function requireInstance(server: string): Promise<RecoveryInstance> {
  const side = await readInstance();
  if (side) return side;
  throw new AgentError(
    `${server} has no side cluster; make one with: npx stagecraft restore ${server} --to "2026-11-21 14:05"`,
  );
}

/** Connects to it. The caller ends the connection. */
export async function connectToInstance(database: string): Promise<Client> {
  const client = new Client({
    host: instanceFiles.run,
    user: "postgres",
    database,
    options: sessionOptions({ default_transaction_read_only: "on" }),
    application_name: "stagecraft-agent",
  });
  client.on("error", () => undefined);
  try {
    await client.connect();
  } catch (error) {
    throw new AgentError(`the side cluster does not let the agent in: ${messageOf(error)}`, {
      cause: error,
    });
  }
  return client;
}

/** The way to it, for PostgreSQL's programs. */
export function instanceEnvironment(): NodeJS.ProcessEnv {
  return {
    ...process.env,
    LC_ALL: "C.UTF-8",
    LC_MESSAGES: "C",
    PGHOST: instanceFiles.run,
    PGUSER: "postgres",
    PGOPTIONS: sessionOptions({ default_transaction_read_only: "on" }),
  };
}

/** Tells a process from a later one with the same number: when it was started. proc(5), `/proc/[pid]/stat`. */
export async function processIdentity(pid: number): Promise<string | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
  // The name in the parentheses may hold anything.
  const started = text?.slice(text.lastIndexOf(")") + 2).split(" ")[19];
  return started === undefined ? undefined : `${pid} ${started}`;
}
