const dayMilliseconds = 86_400_000;

/** What a stretch of the calendar is called: two moments in the same one have the same text. */
export type BucketOf = (moment: Date) => string;

/** The stretches of time that retention thinks in, in the wall-clock time of a zone. */
export interface Calendar {
  /** A real hour: when clocks are put back, the hour that comes twice is two hours. */
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
    ...{ calendar: "iso8601", hourCycle: "h23", timeZoneName: "longOffset" },
    ...{ year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit" },
  });
  const read = (moment: Date): Wall => {
    const parts = new Map(format.formatToParts(moment).map(({ type, value }) => [type, value]));
    const part = (type: Intl.DateTimeFormatPartTypes): string => parts.get(type) ?? "";
    return {
      ...{ year: part("year"), month: part("month"), day: part("day"), hour: part("hour") },
      offset: part("timeZoneName"),
    };
  };
  return {
    hour: (moment) => {
      const { year, month, day, hour, offset } = read(moment);
      return `${year}-${month}-${day} ${hour} ${offset}`;
    },
    day: (moment) => {
      const { year, month, day } = read(moment);
      return `${year}-${month}-${day}`;
    },
    week: (moment) => isoWeek(read(moment)),
    month: (moment) => {
      const { year, month } = read(moment);
      return `${year}-${month}`;
    },
    year: (moment) => read(moment).year,
  };
}

/** A moment as clocks on the wall and calendars show it. */
interface Wall {
  readonly year: string;
  readonly month: string;
  readonly day: string;
  readonly hour: string;
  readonly offset: string;
}

/** The ISO week: `2026-W53` has 28 December 2026 and 3 January 2027 in it. */
function isoWeek({ year, month, day }: Wall): string {
  const midnight = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day)));
  const fromMonday = (midnight.getUTCDay() + 6) % 7;
  const thursday = new Date(midnight.getTime() + (3 - fromMonday) * dayMilliseconds);
  const firstOfYear = Date.UTC(thursday.getUTCFullYear(), 0, 1);
  const week = 1 + Math.floor((thursday.getTime() - firstOfYear) / (7 * dayMilliseconds));
  return `${thursday.getUTCFullYear()}-W${String(week).padStart(2, "0")}`;
}
