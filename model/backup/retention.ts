import { parseBackupId, type BackupId } from "../base/names";
import { formatAge } from "../base/units";
import { calendarOf, type BucketOf, type Calendar } from "./calendar";
import { isRejected, isVerified, type CatalogueEntry } from "./catalogue";
import { parseCalendarSpan, spanBefore, type RetentionPolicy } from "./retention-policy";

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
 * Decides which backups are retained, oldest first. The rules work like those of restic's `forget`: they keep the newest
 * backup of each of the last so many hours, days, weeks, months or years that have backups; if there are fewer, the oldest
 * backup is kept as well. `within` counts from the newest backup, not from now, so that nothing expires while no new
 * backups are made.
 *
 * Only verified backups are counted. An unverified backup is kept until a newer one is verified and it is
 * {@link inspectionDays} days old; a backup that failed verification is kept that long after the failure. The newest
 * verified backup, pinned backups, and backups with a timestamp in the future (caused by a wrong clock) are always kept.
 * So are rejected backups, which may be genuine ones whose signature was damaged: only an operator deletes them. A policy without rules keeps all.
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
  const counted = backups
    .filter(({ entry, time }) => isVerified(entry) && time <= now)
    .map(({ time }) => time)
    .reverse();
  const retained = rulesOf(counted, policy, calendarOf(policy.timeZone ?? "UTC"));
  return backups.map(({ entry, time }) => decide(entry, time, retained, counted[0], now));
}

/** The rules that retain each of the counted backups, which are ordered newest first. */
function rulesOf(
  counted: readonly Date[],
  policy: RetentionPolicy,
  calendar: Calendar,
): ReadonlyMap<number, readonly string[]> {
  const rules = new Map<number, string[]>(counted.map((time) => [time.getTime(), []]));
  const keep = (time: Date, rule: string): void => void rules.get(time.getTime())?.push(rule);
  const { last, hourly, daily, weekly, monthly, yearly, within } = policy;
  const buckets: [string, number | undefined, BucketOf][] = [
    ["last", last, (time) => time.toISOString()],
    ["hourly", hourly, calendar.hour],
    ["daily", daily, calendar.day],
    ["weekly", weekly, calendar.week],
    ["monthly", monthly, calendar.month],
    ["yearly", yearly, calendar.year],
  ];
  for (const [rule, count = 0, bucketOf] of buckets) {
    for (const time of newestOfEach(counted, count, bucketOf)) keep(time, rule);
  }
  const span = within === undefined ? undefined : parseCalendarSpan(within);
  const [newest] = counted;
  if (span && newest) {
    const since = spanBefore(newest, span);
    for (const time of counted.filter((time) => time >= since)) {
      keep(time, `within ${within ?? ""}`);
    }
  }
  const isEmpty = buckets.every(([, count]) => count === undefined) && within === undefined;
  if (isEmpty) for (const time of counted) keep(time, "no rules");
  return rules;
}

/** The newest time of each of the newest `count` buckets; also the oldest time if there are fewer buckets. */
function newestOfEach(times: readonly Date[], count: number, bucketOf: BucketOf): Date[] {
  const newest = new Map<string, Date>();
  for (const time of times) {
    const bucket = bucketOf(time);
    if (!newest.has(bucket)) newest.set(bucket, time);
  }
  const chosen = [...newest.values()].slice(0, count);
  const oldest = times.at(-1);
  const isShort = count > 0 && newest.size < count;
  return isShort && oldest && !chosen.includes(oldest) ? [...chosen, oldest] : chosen;
}

function decide(
  { id, pins, verification, ...entry }: CatalogueEntry,
  time: Date,
  retained: ReadonlyMap<number, readonly string[]>,
  newestVerified: Date | undefined,
  now: Date,
): RetentionDecision {
  const rules: string[] = [];
  let why = "";
  const age = formatAge((now.getTime() - time.getTime()) / 1000);
  // A backup may fail verification long after it was made, and is still kept for inspection.
  const since = verification ? Date.parse(verification.checkedAt) : 0;
  const isKeptForInspection =
    newestVerified === undefined ||
    time > newestVerified ||
    now.getTime() - Math.max(time.getTime(), since) < inspectionDays * dayMilliseconds;
  if (time > now) rules.push("in the future");
  else if (isRejected(entry)) rules.push("rejected, kept for inspection");
  else if (isVerified({ ...entry, id, pins, verification })) {
    rules.push(...(retained.get(time.getTime()) ?? []));
    if (rules.length === 0 && time.getTime() === newestVerified?.getTime()) {
      rules.push("newest verified");
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
