import { readdir, readFile, readlink } from "node:fs/promises";
import { connect } from "../../postgres/connect";
import type { Progress } from "../../system/progress";

/** Seconds between progress lines. */
const intervalSeconds = 2;

/**
 * Reports the progress of pg_restore while `work` runs; pg_restore itself reports only completed tables. Bytes are the
 * read positions in the archive's open files plus `finished`; rows and tables come from PostgreSQL's statistics.
 */
export async function withRestoreProgress<T>(
  archive: string,
  database: string,
  progress: Progress,
  finished: () => number,
  work: () => Promise<T>,
): Promise<T> {
  const client = await connect(database);
  const report = async (): Promise<void> => {
    const { rows } = await client.query<{ rows: string; tables: string }>(
      `SELECT (SELECT coalesce(sum(n_tup_ins), 0) FROM pg_stat_user_tables)
            + (SELECT coalesce(sum(tuples_processed), 0) FROM pg_stat_progress_copy WHERE datname = current_database()) AS rows,
              (SELECT count(*) FROM pg_stat_user_tables WHERE n_tup_ins > 0) AS tables`,
    );
    const { rows: count = 0, tables = 0 } = rows[0] ?? {};
    progress.update(finished() + (await bytesRead(archive)), Number(count), Number(tables));
  };
  // A failure only costs a progress line.
  const timer = setInterval(() => void report().catch(() => undefined), intervalSeconds * 1000);
  try {
    return await work();
  } finally {
    clearInterval(timer);
    await client.end().catch(() => undefined);
  }
}

/** Sum of the read positions in the archive's open files; of each file the furthest position. */
async function bytesRead(archive: string): Promise<number> {
  const positions = new Map<string, number>();
  for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
    for (const fd of await readdir(`/proc/${pid}/fd`).catch(() => [])) {
      const file = await readlink(`/proc/${pid}/fd/${fd}`).catch(() => "");
      if (file !== archive && !file.startsWith(`${archive}/`)) continue;
      const facts = await readFile(`/proc/${pid}/fdinfo/${fd}`, "utf8").catch(() => "");
      const position = Number(/^pos:\s+(\d+)/m.exec(facts)?.[1] ?? 0);
      positions.set(file, Math.max(position, positions.get(file) ?? 0));
    }
  }
  return [...positions.values()].reduce((sum, position) => sum + position, 0);
}
