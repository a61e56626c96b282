/** Milliseconds around a time within which its zone's clocks may be changed by its local time. */
const vicinity = 26 * 3_600_000;

const formats = new Map<string, Intl.DateTimeFormat>();

/** A local time, as if it were UTC: 02:30 in Berlin is 02:30 UTC. */
function localTime(timeZone: string, time: Date): Date {
  let format = formats.get(timeZone);
  if (!format) {
    format = new Intl.DateTimeFormat("en-GB", {
      timeZone,
      hourCycle: "h23",
      ...{ year: "numeric", month: "numeric", day: "numeric" },
      ...{ hour: "numeric", minute: "numeric", second: "numeric" },
    });
    formats.set(timeZone, format);
  }
  const parts = new Map(format.formatToParts(time).map(({ type, value }) => [type, Number(value)]));
  const part = (type: Intl.DateTimeFormatPartTypes): number => parts.get(type) ?? 0;
  const seconds = Date.UTC(
    ...([part("year"), part("month") - 1, part("day")] as const),
    ...([part("hour"), part("minute"), part("second")] as const),
  );
  return new Date(seconds + time.getMilliseconds());
}

/** By how many milliseconds local time is ahead of UTC. */
function offsetAt(timeZone: string, time: number): number {
  return localTime(timeZone, new Date(time)).getTime() - time;
}

/** Offsets that are known, by zone and hour; every second asks for the same ones. */
const ranges = new Map<string, readonly [number, number]>();
const maxRanges = 1000;

/** The least and the greatest offset of a zone around a time, in milliseconds; equal unless its clocks are changed. */
export function offsetRange(timeZone: string, time: Date): readonly [number, number] {
  if (timeZone === "UTC") return [0, 0];
  const hour = Math.floor(time.getTime() / 3_600_000) * 3_600_000;
  const key = `${timeZone} ${hour}`;
  const known = ranges.get(key);
  if (known) return known;
  const offsets = [-vicinity, vicinity].map((by) => offsetAt(timeZone, hour + by));
  const range = [Math.min(...offsets), Math.max(...offsets)] as const;
  if (ranges.size >= maxRanges) ranges.clear();
  ranges.set(key, range);
  return range;
}

/** When a local time takes place. */
export interface LocalInstants {
  /** Its times: none if the clocks are set forward over it, two if they are set back over it. */
  readonly times: number[];
  /** If there is none, when the clocks are changed. */
  readonly change: number;
}

/** The times at which clocks show a local time, which is given as if it were UTC. */
export function instantsOf(timeZone: string, local: Date): LocalInstants {
  const wanted = local.getTime();
  const [least, most] = offsetRange(timeZone, local);
  if (least === most) return { times: [wanted - least], change: wanted - least };
  // The greater offset is that of the earlier time.
  const candidates = [wanted - most, wanted - least];
  const times = candidates.filter((time) => offsetAt(timeZone, time) === wanted - time);
  return { times, change: times[0] ?? changeBetween(timeZone, wanted - most, wanted - least) };
}

/** The first millisecond with the offset that a zone has at the end of a time span. */
function changeBetween(timeZone: string, from: number, to: number): number {
  const offset = offsetAt(timeZone, to);
  let [before, after] = [from, to];
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2);
    if (offsetAt(timeZone, middle) === offset) after = middle;
    else before = middle;
  }
  return after;
}
