import type { Observation } from "./observation";
import { hasContents, type RestoreRequest, type Source } from "../restore/protocol";

/**
 * The id of the restore that a database should come from.
 *
 * It stays the same while the database is as wanted, so a second `up` changes nothing; it is a new one when the contents
 * differ or the database is gone, so the preview shows a change. `observation` is `undefined` while the server is not
 * there or does not answer; then the agent, which finds the contents in place, stamps them with the id it is given.
 */
export function restoreIdFor(
  database: string,
  source: Source,
  observation: Observation | undefined,
  mode: RestoreRequest["mode"],
): string {
  const found = observation?.databases.find(({ name }) => name === database);
  const isWanted = mode === "when missing" || (found && hasContents(found.stamp, source));
  if (found?.stamp && isWanted === true) return found.stamp.restoreId;
  const short = source.sha256?.slice(0, 12) ?? source.backup ?? source.name;
  const id = `${short}-${(observation?.generation ?? 0) + 1}`;
  // A word of its own: production keeps a database without a stamp under the plain id.
  return observation && !found ? `${id}-missing` : id;
}
