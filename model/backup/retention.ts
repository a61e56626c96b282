import { parseBackupId, type BackupId } from "../base/names";
import { formatAge } from "../base/units";
import { calendarOf, type BucketOf, type Calendar } from "./calendar";
import { isVerified, type CatalogueEntry } from "./catalogue";
import { parseCalendarSpan, spanBefore, type KeepPolicy } from "./retention-rules";

/** Days that a backup which is not known to be good stays after a newer good one is there, for somebody to look at it. */
export const doubtfulDays = 7;
const dayMilliseconds = 86_400_000;

/** When it is judged. */
export interface ForgetOptions {
  readonly now: Date;
}

/** What becomes of one backup. */
export interface Judgement {
  readonly id: BackupId;
  readonly keep: boolean;
  /** The rules that keep it, and the stacks that name it, e.g. `["daily", "staging"]`; none for one that is removed. */
  readonly rules: readonly string[];
  /** Why it is removed, for people; empty for one that is kept. */
  readonly why: string;
}

/**
 * Says which backups stay, oldest first. The rules work like those of restic's `forget`: of each hour, day, week, month
 * or year that has backups the newest one counts, for the newest so many of them; and where there are not that many, the
 * oldest backup stays as well. What is within a time counts from the newest backup, not from now, so that nothing goes
 * while no backups are made.
 *
 * Only verified backups count. One that has not been judged stays until a newer one is verified and it is {@link doubtfulDays}
 * old; one that failed its verification as long from that on. The newest verified backup, those that somebody names, and
 * those whose moment is still to come (a clock was wrong, then or now) always stay. A policy without a rule keeps all.
 */
export function forget(
  catalogue: readonly CatalogueEntry[],
  policy: KeepPolicy,
  { now }: ForgetOptions,
): Judgement[] {
  const backups = catalogue
    .flatMap((entry) => {
      const moment = parseBackupId(entry.id);
      return moment && entry.backup !== null ? [{ entry, moment }] : [];
    })
    .sort((a, b) => a.moment.getTime() - b.moment.getTime());
  const counted = backups
    .filter(({ entry, moment }) => isVerified(entry) && moment <= now)
    .map(({ moment }) => moment)
    .reverse();
  const kept = rulesOf(counted, policy, calendarOf(policy.timeZone ?? "UTC"));
  return backups.map(({ entry, moment }) => judge(entry, moment, kept, counted[0], now));
}

/** The rules that keep each of the counted backups, which come newest first. */
function rulesOf(
  counted: readonly Date[],
  policy: KeepPolicy,
  calendar: Calendar,
): ReadonlyMap<number, readonly string[]> {
  const rules = new Map<number, string[]>(counted.map((moment) => [moment.getTime(), []]));
  const keep = (moment: Date, rule: string): void => void rules.get(moment.getTime())?.push(rule);
  const { last, hourly, daily, weekly, monthly, yearly, within } = policy;
  const buckets: [string, number | undefined, BucketOf][] = [
    ["last", last, (moment) => moment.toISOString()],
    ["hourly", hourly, calendar.hour],
    ["daily", daily, calendar.day],
    ["weekly", weekly, calendar.week],
    ["monthly", monthly, calendar.month],
    ["yearly", yearly, calendar.year],
  ];
  for (const [rule, count = 0, bucketOf] of buckets) {
    for (const moment of newestOfEach(counted, count, bucketOf)) keep(moment, rule);
  }
  const span = within === undefined ? undefined : parseCalendarSpan(within);
  const [newest] = counted;
  if (span && newest) {
    const since = spanBefore(newest, span);
    for (const moment of counted.filter((moment) => moment >= since)) {
      keep(moment, `within ${within ?? ""}`);
    }
  }
  const isEmpty = buckets.every(([, count]) => count === undefined) && within === undefined;
  if (isEmpty) for (const moment of counted) keep(moment, "no rules");
  return rules;
}

/** The newest of each of the newest `count` buckets; the oldest of all where there are fewer. */
function newestOfEach(moments: readonly Date[], count: number, bucketOf: BucketOf): Date[] {
  const newest = new Map<string, Date>();
  for (const moment of moments) {
    const bucket = bucketOf(moment);
    if (!newest.has(bucket)) newest.set(bucket, moment);
  }
  const chosen = [...newest.values()].slice(0, count);
  const oldest = moments.at(-1);
  const isShort = count > 0 && newest.size < count;
  return isShort && oldest && !chosen.includes(oldest) ? [...chosen, oldest] : chosen;
}

function judge(
  { id, pins, verification, ...entry }: CatalogueEntry,
  moment: Date,
  kept: ReadonlyMap<number, readonly string[]>,
  newestVerified: Date | undefined,
  now: Date,
): Judgement {
  const rules: string[] = [];
  let why = "";
  const age = formatAge((now.getTime() - moment.getTime()) / 1000);
  // What is found bad long after it was made has to be seen by somebody, too.
  const since = verification ? Date.parse(verification.checkedAt) : 0;
  const isDoubtful =
    newestVerified === undefined ||
    moment > newestVerified ||
    now.getTime() - Math.max(moment.getTime(), since) < doubtfulDays * dayMilliseconds;
  if (moment > now) rules.push("in the future");
  else if (isVerified({ ...entry, id, pins, verification })) {
    rules.push(...(kept.get(moment.getTime()) ?? []));
    if (rules.length === 0 && moment.getTime() === newestVerified?.getTime()) {
      rules.push("newest verified");
    }
    why = "no rule keeps it";
  } else if (verification?.result === "failed") {
    if (isDoubtful) rules.push("failed, kept to be looked at");
    why = `it failed its verification, is ${age} old, and a newer one is verified`;
  } else {
    if (isDoubtful) rules.push("not verified yet");
    why = `it was never verified, is ${age} old, and a newer one is verified`;
  }
  rules.push(...pins);
  return { id, keep: rules.length > 0, rules, why: rules.length > 0 ? "" : why };
}
