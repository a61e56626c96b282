import type { Client } from "pg";
import { isExternal } from "../external-connection";
import { withConnection } from "../connect";
import { withScratchServer } from "./client";

/**
 * Parameters that the scratch server takes over from the server: those that decide how fast it restores, and how it reads
 * and writes values. The memory limits of both containers are the same.
 */
const takenOver = [
  ...["shared_buffers", "work_mem", "maintenance_work_mem", "max_wal_size", "temp_buffers"],
  ...["max_connections", "max_worker_processes", "max_parallel_workers"],
  ...["max_parallel_maintenance_workers", "max_parallel_workers_per_gather"],
  ...["TimeZone", "DateStyle", "IntervalStyle", "default_text_search_config"],
  ...["lc_monetary", "lc_numeric", "lc_time", "xmlbinary", "xmloption"],
];

/**
 * Runs `work` with an empty server that is neither this server nor in reach of the agent's files. For an external server,
 * whose version and extensions nobody else has, it is that server itself.
 */
export async function withDisposableServer<T>(work: () => Promise<T>): Promise<T> {
  if (isExternal) return work();
  return withScratchServer(await withConnection("postgres", readParameters), work);
}

async function readParameters(client: Client): Promise<Record<string, string>> {
  const { rows } = await client.query<{ name: string; value: string }>(
    "SELECT lower(name) AS name, current_setting(name) AS value FROM pg_settings WHERE name = ANY ($1)",
    [takenOver],
  );
  return Object.fromEntries(rows.map(({ name, value }) => [name, value]));
}
