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

/** Folder of the recovery instance in the agent's volume; there is at most one. */
export const instanceFolder = path.join(stateFolder, "side");

/** Files in the folder of the recovery instance. */
export const instanceFiles = {
  data: path.join(instanceFolder, "data"),
  /** Folder of its Unix socket, accessible only to the agent's user. */
  run: path.join(instanceFolder, "run"),
  tablespaces: path.join(instanceFolder, "tablespaces"),
  config: path.join(instanceFolder, "side.conf"),
  hba: path.join(instanceFolder, "hba.conf"),
  logs: path.join(instanceFolder, "logs"),
  log: path.join(instanceFolder, "logs", "log"),
  /** Written last: without it the instance is incomplete. */
  facts: path.join(instanceFolder, "side.json"),
  /** Identity of the process that creates it. */
  maker: path.join(instanceFolder, "maker"),
} as const;

/** The recovery instance; `undefined` when there is none or it is incomplete. */
export async function readInstance(): Promise<RecoveryInstance | undefined> {
  const text = await readTextIfExists(instanceFiles.facts);
  return text === undefined ? undefined : recoveryInstanceSchema.parse(JSON.parse(text));
}

/** The recovery instance; throws an {@link AgentError} when there is none. */
export async function requireInstance(server: string): Promise<RecoveryInstance> {
  const instance = await readInstance();
  if (instance) return instance;
  throw new AgentError(
    `${server} has no recovery instance; create one with: npx stagecraft pitr ${server} --to "2026-11-21 14:05"`,
  );
}

/** Parameters of the agent's sessions: read-only, and without libraries that the data names. */
const instanceSettings = { default_transaction_read_only: "on", session_preload_libraries: "" };

/** Connects to the recovery instance, read-only. The caller ends the connection. */
export async function connectToInstance(database: string): Promise<Client> {
  const client = new Client({
    host: instanceFiles.run,
    user: "postgres",
    database,
    options: sessionOptions(instanceSettings),
    application_name: "stagecraft-agent",
  });
  client.on("error", () => undefined);
  try {
    await client.connect();
  } catch (error) {
    throw new AgentError(`cannot connect to the recovery instance: ${messageOf(error)}`, {
      cause: error,
    });
  }
  return client;
}

/** Environment of PostgreSQL's client programs to connect to the recovery instance. */
export function instanceEnvironment(): NodeJS.ProcessEnv {
  return {
    ...process.env,
    LC_ALL: "C.UTF-8",
    LC_MESSAGES: "C",
    PGHOST: instanceFiles.run,
    PGUSER: "postgres",
    PGOPTIONS: sessionOptions(instanceSettings),
  };
}

/** Id and start time of a process, which distinguish it from a later one with the same id; `undefined` if it does not exist. proc(5), `/proc/[pid]/stat`. */
export async function processIdentity(pid: number): Promise<string | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
  // The program name in parentheses may contain any characters.
  const started = text?.slice(text.lastIndexOf(")") + 2).split(" ")[19];
  return started === undefined ? undefined : `${pid} ${started}`;
}
