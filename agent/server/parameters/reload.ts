import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "pg";
import { AgentError } from "../../system/errors";
import { connect } from "../../postgres/connect";
import { serverLogCommand } from "../../postgres/container";

/** How long PostgreSQL may take to reload its files. */
const timeoutMs = 10_000;

/** State of a configuration file in PostgreSQL. */
export interface FileState {
  /** Names of the file's parameters that are in effect. */
  readonly applied: string[];
  /** Names of the parameters, of any file, that are pending a restart. */
  readonly restart: string[];
  /** PostgreSQL's errors about the file. */
  readonly problems: string[];
}

/** Makes PostgreSQL reload its files, and waits until this session has the new values. PostgreSQL manual, 19.1.2. */
export async function reloadConfig(client: Client): Promise<void> {
  const loaded = async (): Promise<string> => {
    const { rows } = await client.query<{ at: string }>("SELECT pg_conf_load_time()::text AS at");
    return rows[0]?.at ?? "";
  };
  const before = await loaded();
  await client.query("SELECT pg_reload_conf()");
  const deadline = Date.now() + timeoutMs;
  while ((await loaded()) === before) {
    if (Date.now() > deadline) {
      throw new AgentError(
        `PostgreSQL did not reload its configuration within ${timeoutMs / 1000} s; check: ${serverLogCommand}`,
      );
    }
    await sleep(10);
  }
}

/** Reads the state of a configuration file. PostgreSQL reports errors of a line only at a debug level. */
export async function readFileState(client: Client, file: string): Promise<FileState> {
  const notices: string[] = [];
  const listen = ({ message }: { message: string | undefined }): void => {
    if (message !== undefined) notices.push(message);
  };
  await client.query("SET client_min_messages = debug3");
  client.on("notice", listen);
  try {
    const { rows } = await client.query<{
      name: string | null;
      applied: boolean;
      error: string | null;
      needs_restart: boolean;
    }>(
      `SELECT f.name, f.applied, f.error, coalesce(s.context = 'postmaster', false) AS needs_restart
       FROM pg_file_settings f LEFT JOIN pg_settings s ON lower(s.name) = lower(f.name)
       WHERE f.sourcefile = $1 ORDER BY f.seqno`,
      [file],
    );
    const invalid = rows.filter(({ error, needs_restart }) => error !== null && !needs_restart);
    const pending = await client.query<{ name: string }>(
      "SELECT name FROM pg_settings WHERE pending_restart ORDER BY name",
    );
    return {
      applied: rows.filter(({ applied }) => applied).map(({ name }) => name ?? ""),
      restart: pending.rows.map(({ name }) => name),
      problems: invalid.map(
        ({ name, error }) =>
          notices.find((text) => name !== null && text.includes(`"${name}"`)) ??
          `${name === null ? "" : `${name}: `}${error ?? ""}`,
      ),
    };
  } finally {
    client.off("notice", listen);
    await client.query("RESET client_min_messages");
  }
}

/** Opens a new session. Returns PostgreSQL's error when it cannot be opened. */
export async function newSessionProblem(): Promise<string | undefined> {
  try {
    await (await connect("postgres")).end();
    return undefined;
  } catch (error) {
    return error instanceof AgentError && error.cause instanceof Error
      ? error.cause.message
      : String(error);
  }
}
