import type { Observation } from "./observation";
import { hasContents, type RestoreRequest, type Source } from "../restore/protocol";

/**
 * The desired restore id of a database.
 *
 * It stays the same while the database is up to date, so that a second `up` changes nothing; it is new if the contents
 * differ or the database is missing, so that the preview shows a change. `observation` is `undefined` if the server does
 * not exist or does not respond; if the agent then finds the contents in place, it stamps them with the given id.
 */
export function restoreIdFor(
  database: string,
  source: Source,
  observation: Observation | undefined,
  mode: RestoreRequest["mode"],
): string {
  const found = observation?.databases.find(({ name }) => name === database);
  const isUpToDate = mode === "when missing" || (found && hasContents(found.stamp, source));
  if (found?.stamp && isUpToDate === true) return found.stamp.restoreId;
  const short = source.sha256?.slice(0, 12) ?? source.backup ?? source.name;
  const id = `${short}-${(observation?.generation ?? 0) + 1}`;
  // Distinct from the plain id, under which production keeps a database without a stamp.
  return observation && !found ? `${id}-missing` : id;
}
