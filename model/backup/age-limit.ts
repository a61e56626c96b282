import { parseBackupId } from "../base/names";
import { formatAge, formatDuration, parseDuration } from "../base/units";
import type { BackupsObservation } from "./protocol";

/** The observed facts that determine whether the newest verified backup is too old. */
export type ObservedBackups = Pick<
  BackupsObservation,
  "newest" | "newestVerified" | "verifiedLimit" | "since"
>;

/**
 * Says that the newest verified backup is too old, in a sentence; `undefined` if it is not, or there is no limit.
 * `databases` names them, e.g. `billing and shop`, if it is not the newest one of all databases.
 */
export function backupAgeProblem(
  observed: ObservedBackups,
  now: Date,
  databases = "",
): string | undefined {
  const { newest, newestVerified, verifiedLimit, since } = observed;
  const limit = verifiedLimit === null ? undefined : parseDuration(verifiedLimit);
  if (limit === undefined || since === null) return undefined;
  const verified = newestVerified === null ? undefined : parseBackupId(newestVerified);
  const age = (now.getTime() - (verified ?? new Date(since)).getTime()) / 1000;
  if (age <= limit) return undefined;
  const allowed = formatDuration(limit);
  const of = databases === "" ? "" : ` of ${databases}`;
  if (verified) {
    return `the newest verified backup${of} is ${formatAge(age)} old (limit ${allowed})`;
  }
  const what =
    newest === null ? `there is no backup${of} yet` : `no backup${of} has been verified yet`;
  return `${what}, ${formatAge(age)} after the schedule was set (limit ${allowed})`;
}
