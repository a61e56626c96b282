import { rename, stat } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "pg";
import { pgBackRestProblem } from "../../../model/point-in-time/pgbackrest-error";
import { archiverFiles } from "../../../model/point-in-time/archive-repository";
import { AgentError } from "../../system/errors";
import { socketFolder } from "../../postgres/connect";
import { readTextIfExists } from "../../system/atomic-file";
import { parseReachedTime } from "./archived-up-to";

/** How PostgreSQL's archiver gets on. */
export interface ArchiverStatus {
  /** Segments that wait. */
  readonly waiting: number;
  /** For how long the oldest of them has been waiting. */
  readonly behindSeconds: number;
  readonly lastArchivedAt: Date | null;
  /** Why the last attempt failed; `null` when it did not. */
  readonly failure: string | null;
}

/** Looks at the archiver. PostgreSQL manual, 27.2.12 (`pg_stat_archiver`) and 9.28.9. */
export async function inspectArchiver(client: Client): Promise<ArchiverStatus> {
  const { rows } = await client.query<{
    waiting: number;
    behind: number | null;
    archived: Date | null;
    fails: boolean | null;
    wal: string | null;
  }>(`
    SELECT w.waiting, w.behind, a.last_archived_time AS archived, a.last_failed_wal AS wal,
           a.last_failed_time IS NOT NULL AND (a.last_archived_time IS NULL OR a.last_failed_time > a.last_archived_time) AS fails
    FROM pg_stat_archiver a, (
      SELECT count(*)::int AS waiting, extract(epoch FROM clock_timestamp() - min(modification))::float8 AS behind
      FROM pg_ls_archive_statusdir() WHERE name LIKE '%.ready') AS w`);
  const [row] = rows;
  const fails = row?.fails === true && row.waiting > 0;
  return {
    waiting: row?.waiting ?? 0,
    behindSeconds: Math.max(0, row?.behind ?? 0),
    lastArchivedAt: row?.archived ?? null,
    failure: fails
      ? ((await readArchiverMessage()) ?? `the archiving of ${row.wal ?? ""} failed`)
      : null,
  };
}

async function readArchiverMessage(): Promise<string | undefined> {
  const text = await readTextIfExists(path.join(socketFolder, archiverFiles.said)).catch(
    () => undefined,
  );
  // What the command itself says has its fix with it.
  return text?.includes("ERROR: [") === true ? pgBackRestProblem(text, 1) : text?.trim();
}

/** Seconds that the log may take into the archive when somebody waits for it. */
const timeoutSeconds = 60;

/**
 * Brings all that is written by now into the archive. The commit that is made for it has a moment, so that each moment
 * before can be recovered to: PostgreSQL stops at the first commit behind the target.
 */
export async function archiveAll(client: Client): Promise<void> {
  await client.query("SELECT pg_current_xact_id()");
  const { rows } = await client.query<{ segment: string }>(
    "SELECT pg_walfile_name(pg_switch_wal()) AS segment",
  );
  const segment = rows[0]?.segment ?? "";
  const deadline = Date.now() + timeoutSeconds * 1000;
  for (;;) {
    const { rows: done } = await client.query<{ archived: boolean }>(
      `SELECT NOT EXISTS (SELECT FROM pg_ls_archive_statusdir() WHERE name = $1 || '.ready')
              AND EXISTS (SELECT FROM pg_ls_archive_statusdir() WHERE name = $1 || '.done')
           OR NOT EXISTS (SELECT FROM pg_ls_waldir() WHERE name = $1) AS archived`,
      [segment],
    );
    if (done[0]?.archived === true) return;
    if (Date.now() > deadline) {
      const { failure } = await inspectArchiver(client);
      throw new AgentError(
        `the write-ahead log could not be archived within ${timeoutSeconds} s: ${failure ?? "PostgreSQL's archiver is busy"}`,
      );
    }
    await sleep(50);
  }
}

/** Where the archive ends before the first part of the log that was let go; the note of it is taken. */
export async function claimGap(): Promise<{ readonly at: Date } | undefined> {
  const file = path.join(socketFolder, archiverFiles.gap);
  const taken = `${file}.taken`;
  if (!(await stat(file).catch(() => undefined)) && !(await stat(taken).catch(() => undefined)))
    return undefined;
  // One that was taken and not dealt with stays the one that counts.
  if (!(await stat(taken).catch(() => undefined))) await rename(file, taken);
  return { at: parseReachedTime((await readTextIfExists(taken)) ?? "") ?? new Date() };
}
