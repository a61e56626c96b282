import { lstat } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "pg";
import { pgBackRestProblem } from "../../../model/point-in-time/pgbackrest-error";
import { archiverFiles } from "../../../model/point-in-time/archive-repository";
import { AgentError } from "../../system/errors";
import { socketFolder } from "../../postgres/target";
import { readTextIfExists } from "../../system/atomic-file";
import { renameFile } from "../../system/real-folder";
import { parseReachedTime } from "./archived-up-to";

/** State of PostgreSQL's WAL archiver. */
export interface ArchiverStatus {
  /** Segments waiting to be archived. */
  readonly waiting: number;
  /** Seconds for which the oldest of them has been waiting. */
  readonly behindSeconds: number;
  readonly lastArchivedAt: Date | null;
  /** Why the last attempt failed; `null` if it succeeded. */
  readonly failure: string | null;
}

/** Reads the archiver's state. PostgreSQL manual, 27.2.12 (`pg_stat_archiver`) and 9.28.9. */
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
  // Messages of the archive command itself already contain a fix.
  return text?.includes("ERROR: [") === true ? pgBackRestProblem(text, 1) : text?.trim();
}

/** Seconds to wait until WAL is archived. */
const timeoutSeconds = 60;

/**
 * Archives all WAL written so far. First it makes a commit, so that every earlier time can be recovered to: PostgreSQL
 * stops at the first commit after the target.
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
        `the WAL was not archived within ${timeoutSeconds} s: ${failure ?? "PostgreSQL's archiver is busy"}`,
      );
    }
    await sleep(50);
  }
}

/** The time at which the archive ends before WAL that was discarded. Claims the record of the gap by renaming it. */
export async function claimGap(): Promise<{ readonly at: Date } | undefined> {
  const file = path.join(socketFolder, archiverFiles.gap);
  const claimed = `${file}.taken`;
  const isThere = async (name: string): Promise<boolean> =>
    (await lstat(name).catch(() => undefined)) !== undefined;
  // A record that was claimed but not handled yet has priority.
  if (!(await isThere(claimed))) {
    if (!(await isThere(file))) return undefined;
    await renameFile(file, claimed);
  }
  return { at: parseReachedTime((await readTextIfExists(claimed)) ?? "") ?? new Date() };
}
