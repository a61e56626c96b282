/** What a server is recovered to. */
export type Target =
  /** As it was at a moment. */
  | { readonly kind: "time"; readonly at: Date }
  /** As far as the archive goes. */
  | { readonly kind: "latest" }
  /** As the newest backup left it: the soonest there is. */
  | { readonly kind: "immediate" };

/** A target that was read, or the sentence about it that follows "must". */
export type ReadTarget = Target | { readonly problem: string };

const example = '"2026-11-21 14:05"';

/**
 * Reads a target: `latest`, `immediate`, or a moment, `2026-11-21 14:05[:10[.5]]` with a zone behind it: `Z`, `UTC`,
 * `+01:00`, or a name of the IANA's like `Europe/Berlin`. Without a zone it is in UTC.
 */
export function readTarget(text: string): ReadTarget {
  const word = text.trim();
  if (word === "latest" || word === "immediate") return { kind: word };
  const match =
    /^(\d{4})-(\d\d)-(\d\d)(?:[T ]+)(\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,6}))?)?\s*(\S.*)?$/.exec(
      word,
    );
  if (!match) {
    return { problem: `be a moment like ${example}, latest or immediate, got "${text}"` };
  }
  const [, year, month, day, hour, minute, second = "0", fraction = "0", zone = "UTC"] = match;
  const parts = [year, month, day, hour, minute, second].map(Number);
  const wall = wallClock(parts, Number(`0.${fraction}`));
  if (wall === undefined) return { problem: `be a moment that the calendar has, got "${text}"` };
  const moments = momentsAt(wall, zone);
  if (moments === undefined) {
    return {
      problem: `name a time zone like UTC, +01:00 or Europe/Berlin behind the time, got "${zone}"`,
    };
  }
  const [at, other] = moments;
  if (!at)
    return { problem: `be a time that ${zone} had: its clocks were put forward over "${text}"` };
  if (other) {
    return {
      problem: `say which of two: ${zone} put its clocks back, so "${text}" was both ${utcText(at)} and ${utcText(other)}`,
    };
  }
  return { kind: "time", at };
}

/** A moment as it is said and may be given again: `2026-11-21 14:05:10 UTC`, with the fraction where there is one. */
export function utcText(moment: Date): string {
  const text = moment.toISOString().replace("T", " ");
  return `${text.replace(/(\.\d*?)0*Z$/, "$1").replace(/\.$/, "")} UTC`;
}

/** A target as it may be given again. */
export function targetText(target: Target): string {
  return target.kind === "time" ? utcText(target.at) : target.kind;
}

/** What a clock shows, as milliseconds as if it were in UTC; `undefined` for what no clock shows. */
function wallClock(parts: readonly number[], fraction: number): number | undefined {
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts;
  const moment = new Date(Date.UTC(year, month - 1, day, hour, minute, second));
  const isSame =
    moment.getUTCFullYear() === year &&
    moment.getUTCMonth() === month - 1 &&
    moment.getUTCDate() === day &&
    hour < 24 &&
    minute < 60 &&
    second < 60;
  return isSame ? moment.getTime() + Math.floor(fraction * 1000) : undefined;
}

/** The moments at which the clocks of a zone showed this: one, none or two. `undefined` for a zone that is not known. */
function momentsAt(wall: number, zone: string): Date[] | undefined {
  if (/^(Z|UTC|GMT)$/i.test(zone)) return [new Date(wall)];
  const fixed = /^([+-])(\d\d):?(\d\d)?$/.exec(zone);
  if (fixed) {
    const [, sign, hours, minutes = "0"] = fixed;
    if (Number(hours) > 15 || Number(minutes) > 59) return undefined;
    const offset = (Number(hours) * 60 + Number(minutes)) * 60_000;
    return [new Date(wall + (sign === "-" ? offset : -offset))];
  }
  const clock = clockOf(zone);
  if (!clock) return undefined;
  const day = 86_400_000;
  // A zone changes its offset at most once within two days.
  const offsets = new Set([clock(wall - day) - (wall - day), clock(wall + day) - (wall + day)]);
  return [...offsets]
    .map((offset) => wall - offset)
    .filter((moment) => clock(moment) === wall)
    .sort((a, b) => a - b)
    .map((moment) => new Date(moment));
}

/** What the clocks of a zone show at a moment; `undefined` for a zone that is not known. */
function clockOf(zone: string): ((moment: number) => number) | undefined {
  let format: Intl.DateTimeFormat;
  try {
    format = new Intl.DateTimeFormat("en-US", {
      timeZone: zone,
      hourCycle: "h23",
      ...{ year: "numeric", month: "numeric", day: "numeric" },
      ...{ hour: "numeric", minute: "numeric", second: "numeric" },
    });
  } catch {
    return undefined;
  }
  return (moment) => {
    const parts = new Map(
      format.formatToParts(moment).map(({ type, value }) => [type, Number(value)]),
    );
    const part = (type: Intl.DateTimeFormatPartTypes): number => parts.get(type) ?? 0;
    const shown = Date.UTC(
      ...[part("year"), part("month") - 1, part("day")],
      ...[part("hour"), part("minute"), part("second")],
    );
    return shown + (((moment % 1000) + 1000) % 1000);
  };
}
