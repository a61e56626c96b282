const dayMilliseconds = 86_400_000;

/** The key of the calendar period that contains a time: equal for two times in the same period. */
export type BucketOf = (time: Date) => string;

/** The calendar periods that retention rules count, in the local time of a time zone. */
export interface Calendar {
  /** One elapsed hour: when clocks are set back, the repeated hour counts as two. */
  readonly hour: BucketOf;
  readonly day: BucketOf;
  /** From Monday to Sunday, in the year that has its Thursday (ISO 8601). */
  readonly week: BucketOf;
  readonly month: BucketOf;
  readonly year: BucketOf;
}

/** The calendar of a time zone, e.g. `Europe/Vienna`. */
export function calendarOf(zone: string): Calendar {
  const format = new Intl.DateTimeFormat("en-GB", {
    timeZone: zone,
    calendar: "iso8601",
    hourCycle: "h23",
    timeZoneName: "longOffset",
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
  });
  const read = (time: Date): WallClock => {
    const parts = new Map(format.formatToParts(time).map(({ type, value }) => [type, value]));
    const part = (type: Intl.DateTimeFormatPartTypes): string => parts.get(type) ?? "";
    return {
      year: part("year"),
      month: part("month"),
      day: part("day"),
      hour: part("hour"),
      offset: part("timeZoneName"),
    };
  };
  return {
    hour: (time) => {
      const { year, month, day, hour, offset } = read(time);
      return `${year}-${month}-${day} ${hour} ${offset}`;
    },
    day: (time) => {
      const { year, month, day } = read(time);
      return `${year}-${month}-${day}`;
    },
    week: (time) => isoWeek(read(time)),
    month: (time) => {
      const { year, month } = read(time);
      return `${year}-${month}`;
    },
    year: (time) => read(time).year,
  };
}

/** A local date and hour, with its offset from UTC. */
interface WallClock {
  readonly year: string;
  readonly month: string;
  readonly day: string;
  readonly hour: string;
  readonly offset: string;
}

/** The ISO week: `2026-W53` contains 28 December 2026 and 3 January 2027. */
function isoWeek({ year, month, day }: WallClock): string {
  const midnight = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day)));
  const fromMonday = (midnight.getUTCDay() + 6) % 7;
  const thursday = new Date(midnight.getTime() + (3 - fromMonday) * dayMilliseconds);
  const firstOfYear = Date.UTC(thursday.getUTCFullYear(), 0, 1);
  const week = 1 + Math.floor((thursday.getTime() - firstOfYear) / (7 * dayMilliseconds));
  return `${thursday.getUTCFullYear()}-W${String(week).padStart(2, "0")}`;
}
