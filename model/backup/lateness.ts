import { parseBackupId } from "../base/names";
import { formatAge, formatDuration, parseDuration } from "../base/units";
import type { BackupsObservation } from "./protocol";

/** What is seen of a server's backups that tells whether they are late. */
export type SeenBackups = Pick<
  BackupsObservation,
  "newest" | "newestVerified" | "verifiedLimit" | "since"
>;

/** What is wrong with the age of a server's backups, a sentence; `undefined` when nothing is, or nobody has set a limit. */
export function lateness(seen: SeenBackups, now: Date): string | undefined {
  const { newest, newestVerified, verifiedLimit, since } = seen;
  const limit = verifiedLimit === null ? undefined : parseDuration(verifiedLimit);
  if (limit === undefined || since === null) return undefined;
  const verified = newestVerified === null ? undefined : parseBackupId(newestVerified);
  const age = (now.getTime() - (verified ?? new Date(since)).getTime()) / 1000;
  if (age <= limit) return undefined;
  const allowed = formatDuration(limit);
  if (verified) {
    return `the newest verified backup is ${formatAge(age)} old (limit ${allowed})`;
  }
  const what = newest === null ? "there is no backup yet" : "no backup is verified yet";
  return `${what}, ${formatAge(age)} after the schedule was set (limit ${allowed})`;
}
