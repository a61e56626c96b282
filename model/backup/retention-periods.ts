import { backedUpNames, speaksOf } from "./backed-up-databases";
import type { BucketOf, Calendar } from "./calendar";
import type { CatalogueEntry } from "./catalogue";
import { parseCalendarSpan, spanBefore, type RetentionPolicy } from "./retention-policy";

/** A backup that the rules count. */
export interface CountedBackup {
  readonly entry: CatalogueEntry;
  readonly time: Date;
}

/** The counted backups that say something of a database, newest first. */
export type DatabaseHistory = readonly {
  readonly time: Date;
  /** Whether the database is in it; otherwise it did not exist then. */
  readonly contains: boolean;
}[];

/**
 * The history of each database in the counted backups, which are ordered newest first. Databases with the same history
 * have one entry, because 500 databases usually have.
 */
export function databaseHistories(counted: readonly CountedBackup[]): DatabaseHistory[] {
  const backups = counted.flatMap(({ entry: { backup }, time }) =>
    backup ? [{ backup, time, names: new Set(backedUpNames(backup)) }] : [],
  );
  const names = new Set(backups.flatMap(({ names }) => [...names]));
  const histories = new Map<string, DatabaseHistory>();
  for (const name of names) {
    const history = backups.flatMap(({ backup, time, names }) =>
      speaksOf(backup, name) ? [{ time, contains: names.has(name) }] : [],
    );
    const key = history.map(({ time, contains }) => `${time.getTime()} ${contains}`).join();
    histories.set(key, history);
  }
  return [...histories.values()];
}

/** A rule that retains the newest backup of each of the newest `count` periods. */
export interface PeriodRule {
  readonly name: string;
  readonly count: number;
  readonly bucketOf: BucketOf;
}

/** Names of the rules that count periods, in the order in which they are shown. */
export const periodNames = ["last", "hourly", "daily", "weekly", "monthly", "yearly"] as const;

/** The rules of a policy that count periods. The period of each time is determined once, because that takes long. */
export function periodRules(policy: RetentionPolicy, calendar: Calendar): PeriodRule[] {
  const buckets: Record<(typeof periodNames)[number], BucketOf> = {
    last: (time) => time.toISOString(),
    hourly: calendar.hour,
    daily: calendar.day,
    weekly: calendar.week,
    monthly: calendar.month,
    yearly: calendar.year,
  };
  return periodNames.flatMap((name) => {
    const count = policy[name];
    const bucketOf = buckets[name];
    const known = new Map<number, string>();
    const cached: BucketOf = (time) => {
      const bucket = known.get(time.getTime()) ?? bucketOf(time);
      known.set(time.getTime(), bucket);
      return bucket;
    };
    return count === undefined ? [] : [{ name, count, bucketOf: cached }];
  });
}

/** The times of the backups that the rules retain for a database, each with the rule that does. */
export function retainedTimes(
  history: DatabaseHistory,
  { within }: RetentionPolicy,
  rules: readonly PeriodRule[],
): [number, string][] {
  const present = history.filter(({ contains }) => contains).map(({ time }) => time);
  const retained: [number, string][] = [];
  for (const { name, count, bucketOf } of rules) {
    for (const time of newestOfEach(history, count, bucketOf))
      retained.push([time.getTime(), name]);
  }
  const span = within === undefined ? undefined : parseCalendarSpan(within);
  const [newest] = history;
  if (span && newest) {
    const since = spanBefore(newest.time, span);
    for (const time of present.filter((time) => time >= since)) {
      retained.push([time.getTime(), `within ${within ?? ""}`]);
    }
  }
  if (rules.length === 0 && within === undefined) {
    for (const time of present) retained.push([time.getTime(), "no rules"]);
  }
  return retained;
}

/** The newest time of each of the newest `count` buckets; also the oldest time if there are fewer buckets. */
function newestOfEach(history: DatabaseHistory, count: number, bucketOf: BucketOf): Date[] {
  const buckets = new Set<string>();
  const newest = new Map<string, Date>();
  for (const { time, contains } of history) {
    const bucket = bucketOf(time);
    buckets.add(bucket);
    if (contains && !newest.has(bucket)) newest.set(bucket, time);
  }
  const counted = new Set([...buckets].slice(0, count));
  const chosen = [...newest].flatMap(([bucket, time]) => (counted.has(bucket) ? [time] : []));
  const oldest = history.findLast(({ contains }) => contains)?.time;
  const isShort = count > 0 && buckets.size < count;
  return isShort && oldest && !chosen.includes(oldest) ? [...chosen, oldest] : chosen;
}
