import { parseBackupId, type BackupId } from "../base/names";
import { formatAge } from "../base/units";
import { backedUpNames, databasesText, newestVerifiedByDatabase } from "./backed-up-databases";
import { calendarOf } from "./calendar";
import { isRejected, isVerified, type CatalogueEntry } from "./catalogue";
import { databaseHistories, periodNames, periodRules, retainedTimes } from "./retention-periods";
import { type RetentionPolicy } from "./retention-policy";

/** Days to keep an unverified or failed backup for inspection after a newer one is verified. */
export const inspectionDays = 7;
const dayMilliseconds = 86_400_000;

/** Options of {@link applyRetention}. */
export interface RetentionOptions {
  readonly now: Date;
}

/** Whether a backup is retained. */
export interface RetentionDecision {
  readonly id: BackupId;
  readonly keep: boolean;
  /** The rules that retain it, and the stacks that refer to it, e.g. `["daily", "staging"]`; empty if it expires. */
  readonly rules: readonly string[];
  /** Why it expires, human-readable; empty if it is retained. */
  readonly why: string;
}

/**
 * Decides which backups are retained, oldest first. Each database has its own rules: those of the verified backups that
 * contain it, so that a job of some databases does not push out the backups of the others. A backup is retained if a rule
 * retains it for one of its databases. The rules work like those of restic's `forget`: they keep the newest
 * backup of each of the last so many hours, days, weeks, months or years that have backups; if there are fewer, the oldest
 * backup is kept as well. `within` counts from the newest backup, not from now, so that nothing expires while no new
 * backups are made. Backups of all databases count for a database that has been dropped, so that its own expire in time.
 *
 * Only verified backups are counted. An unverified backup is kept until newer ones of all its databases are verified and
 * it is {@link inspectionDays} days old; a backup that failed verification is kept that long after the failure. The newest
 * verified backup of each database, pinned backups, and backups with a timestamp in the future (caused by a wrong clock)
 * are always kept. So are rejected backups, which may be genuine ones whose signature was damaged: only an operator
 * deletes them. A policy without rules keeps all.
 */
export function applyRetention(
  catalogue: readonly CatalogueEntry[],
  policy: RetentionPolicy,
  { now }: RetentionOptions,
): RetentionDecision[] {
  const backups = catalogue
    .flatMap((entry) => {
      const time = parseBackupId(entry.id);
      return time && entry.backup !== null ? [{ entry, time }] : [];
    })
    .sort((a, b) => a.time.getTime() - b.time.getTime());
  const counted = backups.filter(({ entry, time }) => isVerified(entry) && time <= now).reverse();
  const retained = new Map<number, Set<string>>();
  const rules = periodRules(policy, calendarOf(policy.timeZone ?? "UTC"));
  for (const history of databaseHistories(counted)) {
    for (const [time, rule] of retainedTimes(history, policy, rules)) {
      retained.set(time, (retained.get(time) ?? new Set()).add(rule));
    }
  }
  const newest = newestVerifiedByDatabase(catalogue, now);
  return backups.map(({ entry, time }) => decide(entry, time, retained, newest, now));
}

function decide(
  { id, pins, verification, ...entry }: CatalogueEntry,
  time: Date,
  retained: ReadonlyMap<number, ReadonlySet<string>>,
  newestVerified: ReadonlyMap<string, BackupId>,
  now: Date,
): RetentionDecision {
  const rules: string[] = [];
  let why = "";
  const age = formatAge((now.getTime() - time.getTime()) / 1000);
  // A backup may fail verification long after it was made, and is still kept for inspection.
  const since = verification ? Date.parse(verification.checkedAt) : 0;
  const names = entry.backup ? backedUpNames(entry.backup) : [];
  const newer = names.every((name) => (newestVerified.get(name) ?? "") > id);
  const isKeptForInspection =
    !newer || now.getTime() - Math.max(time.getTime(), since) < inspectionDays * dayMilliseconds;
  if (time > now) rules.push("in the future");
  else if (isRejected(entry)) rules.push("rejected, kept for inspection");
  else if (isVerified({ ...entry, id, pins, verification })) {
    rules.push(...inOrder(retained.get(time.getTime()) ?? new Set()));
    const newestOf = names.filter((name) => newestVerified.get(name) === id);
    if (rules.length === 0 && newestOf.length > 0) {
      const isOfAll = newestOf.length === names.length;
      rules.push(isOfAll ? "newest verified" : `newest verified of ${databasesText(newestOf)}`);
    }
    why = "no rule retains it";
  } else if (verification?.result === "failed") {
    if (isKeptForInspection) rules.push("failed, kept for inspection");
    why = `it failed its verification, is ${age} old, and a newer one is verified`;
  } else {
    if (isKeptForInspection) rules.push("not verified yet");
    why = `it was never verified, is ${age} old, and a newer one is verified`;
  }
  rules.push(...pins);
  return { id, keep: rules.length > 0, rules, why: rules.length > 0 ? "" : why };
}

/** The rules as a policy lists them, whichever database each is of. */
function inOrder(rules: ReadonlySet<string>): string[] {
  const named = periodNames.filter((name) => rules.has(name));
  return [...named, ...[...rules].filter((rule) => !named.some((name) => name === rule))];
}
