import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "pg";
import { AgentError } from "../../system/errors";
import { connect } from "../../postgres/connect";

/** How long PostgreSQL may take to read its files again. */
const timeoutMs = 10_000;

/** What PostgreSQL made of a settings file. */
export interface FileState {
  /** Settings of the file that are in force. */
  readonly applied: string[];
  /** Settings, of any file, that wait for a restart. */
  readonly restart: string[];
  /** What is against the file, in PostgreSQL's own words. */
  readonly problems: string[];
}

/** Lets PostgreSQL read its files again, and waits until this session has their contents. PostgreSQL manual, 19.1.2. */
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
        "PostgreSQL did not take its files in again; look at: docker logs of its container",
      );
    }
    await sleep(10);
  }
}

/** Asks what became of a file. What PostgreSQL has against a line it tells at a level for debugging only. */
export async function readFileState(client: Client, file: string): Promise<FileState> {
  const words: string[] = [];
  const listen = ({ message }: { message: string | undefined }): void => {
    if (message !== undefined) words.push(message);
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
    const bad = rows.filter(({ error, needs_restart }) => error !== null && !needs_restart);
    const waiting = await client.query<{ name: string }>(
      "SELECT name FROM pg_settings WHERE pending_restart ORDER BY name",
    );
    return {
      applied: rows.filter(({ applied }) => applied).map(({ name }) => name ?? ""),
      restart: waiting.rows.map(({ name }) => name),
      problems: bad.map(
        ({ name, error }) =>
          words.find((text) => name !== null && text.includes(`"${name}"`)) ??
          `${name === null ? "" : `${name}: `}${error ?? ""}`,
      ),
    };
  } finally {
    client.off("notice", listen);
    await client.query("RESET client_min_messages");
  }
}

/** Whether a new session comes in; what PostgreSQL says when not. */
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
