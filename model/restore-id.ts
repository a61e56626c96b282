import type { Observation, Source } from "./protocol";

/**
 * The id of the restore that a database should come from.
 *
 * It stays the same while the database has the wanted contents, so a second `up` changes nothing; it is a new one when
 * the contents differ or the database is gone, so the preview shows a change. `observation` is `undefined` while the
 * server is not there yet.
 */
export function restoreIdFor(
  database: string,
  source: Source,
  observation: Observation | undefined,
): string {
  const stamp = observation?.databases.find(({ name }) => name === database)?.stamp;
  if (stamp?.source.sha256 === source.sha256) return stamp.restoreId;
  return `${source.sha256.slice(0, 12)}-${(observation?.generation ?? 0) + 1}`;
}
