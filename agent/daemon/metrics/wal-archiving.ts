import { withConnection } from "../../postgres/connect";
import { readArchiveState } from "../../recovery/archive/archive-state";

/** State of PostgreSQL's WAL archiver. PostgreSQL manual, 27.2.14 and 9.28.7. */
export interface WalArchiving {
  readonly failures: number;
  /** Seconds since the epoch; `null` before the first segment was archived. */
  readonly lastArchived: number | null;
  /** Seconds for which the oldest finished segment has been waiting; 0 when none is. */
  readonly lag: number;
  /** Whether the last attempt failed. */
  readonly isFailing: boolean;
  /** Number of gaps in the archive; `null` when it cannot be read. */
  readonly gaps: number | null;
}

/** Reads the archiver's state; `undefined` when archiving is off or PostgreSQL does not answer. */
export async function readWalArchiving(): Promise<WalArchiving | undefined> {
  try {
    return await withConnection("postgres", async (client) => {
      const { rows } = await client.query<Omit<WalArchiving, "gaps">>(
        `SELECT failed_count::float8 AS failures,
                last_failed_time IS NOT NULL AND (last_archived_time IS NULL OR last_failed_time > last_archived_time) AS "isFailing",
                extract(epoch FROM last_archived_time)::float8 AS "lastArchived",
                (SELECT coalesce(max(extract(epoch FROM now() - modification)), 0)::float8
                   FROM pg_ls_archive_statusdir() WHERE name LIKE '%.ready') AS lag
           FROM pg_stat_archiver
          WHERE current_setting('archive_mode') <> 'off'`,
      );
      const [row] = rows;
      return row && { ...row, gaps: await countGaps() };
    });
  } catch {
    return undefined;
  }
}

/** Gaps between the periods in which each cluster was archived. */
async function countGaps(): Promise<number | null> {
  try {
    const periods = Object.values((await readArchiveState())?.periods ?? {});
    return periods.reduce((sum, { length }) => sum + Math.max(0, length - 1), 0);
  } catch {
    return null;
  }
}
