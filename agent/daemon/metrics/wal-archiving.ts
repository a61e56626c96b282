import { withConnection } from "../../postgres/connect";

/** State of PostgreSQL's WAL archiver. PostgreSQL manual, 27.2.14 and 9.28.7. */
export interface WalArchiving {
  readonly failures: number;
  /** Seconds since the epoch; `null` before the first segment was archived. */
  readonly lastArchived: number | null;
  /** Seconds for which the oldest finished segment has been waiting; 0 when none is. */
  readonly lag: number;
}

/** Reads the archiver's state; `undefined` when archiving is off or PostgreSQL does not answer. */
export async function readWalArchiving(): Promise<WalArchiving | undefined> {
  try {
    return await withConnection("postgres", async (client) => {
      const { rows } = await client.query<WalArchiving>(
        `SELECT failed_count::float8 AS failures,
                extract(epoch FROM last_archived_time)::float8 AS "lastArchived",
                (SELECT coalesce(max(extract(epoch FROM now() - modification)), 0)::float8
                   FROM pg_ls_archive_statusdir() WHERE name LIKE '%.ready') AS lag
           FROM pg_stat_archiver
          WHERE current_setting('archive_mode') <> 'off'`,
      );
      return rows[0];
    });
  } catch {
    return undefined;
  }
}
