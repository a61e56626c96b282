/** The target of a recovery. */
export type RecoveryTarget =
  /** A point in time. */
  | { readonly kind: "time"; readonly at: Date }
  /** The end of the archive. */
  | { readonly kind: "latest" }
  /** The end of the newest base backup, which is the fastest recovery. */
  | { readonly kind: "immediate" };

/** A parsed target, or the problem with it: a sentence to follow "must". */
export type ParsedTarget = RecoveryTarget | { readonly problem: string };

const example = '"2026-11-21 14:05"';

/**
 * Parses a target: `latest`, `immediate`, or a time like `2026-11-21 14:05[:10[.5]]`, optionally followed by a time zone:
 * `Z`, `UTC`, `+01:00`, or an IANA name like `Europe/Berlin`. @default UTC
 */
export function parseTarget(text: string): ParsedTarget {
  const word = text.trim();
  if (word === "latest" || word === "immediate") return { kind: word };
  const match =
    /^(\d{4})-(\d\d)-(\d\d)(?:[T ]+)(\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,6}))?)?\s*(\S.*)?$/.exec(
      word,
    );
  if (!match) {
    return { problem: `be a time like ${example}, latest or immediate, got "${text}"` };
  }
  const [, year, month, day, hour, minute, second = "0", fraction = "0", zone = "UTC"] = match;
  const parts = [year, month, day, hour, minute, second].map(Number);
  const wall = wallClock(parts, Number(`0.${fraction}`));
  if (wall === undefined) return { problem: `be a valid date and time, got "${text}"` };
  const times = timesAt(wall, zone);
  if (times === undefined) {
    return {
      problem: `name a time zone like UTC, +01:00 or Europe/Berlin after the time, got "${zone}"`,
    };
  }
  const [at, other] = times;
  if (!at)
    return {
      problem: `be a time that exists in ${zone}: its clocks were set forward past "${text}"`,
    };
  if (other) {
    return {
      problem: `be unambiguous: ${zone} set its clocks back, so "${text}" was both ${utcText(at)} and ${utcText(other)}`,
    };
  }
  return { kind: "time", at };
}

/** Formats a time so that {@link parseTarget} reads it: `2026-11-21 14:05:10 UTC`, with fractional seconds if there are any. */
export function utcText(time: Date): string {
  const text = time.toISOString().replace("T", " ");
  return `${text.replace(/(\.\d*?)0*Z$/, "$1").replace(/\.$/, "")} UTC`;
}

/** Formats a target so that {@link parseTarget} reads it. */
export function targetText(target: RecoveryTarget): string {
  return target.kind === "time" ? utcText(target.at) : target.kind;
}

/** A local time as milliseconds, as if it were UTC; `undefined` if it is not a valid date and time. */
function wallClock(parts: readonly number[], fraction: number): number | undefined {
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts;
  const time = new Date(Date.UTC(year, month - 1, day, hour, minute, second));
  const isSame =
    time.getUTCFullYear() === year &&
    time.getUTCMonth() === month - 1 &&
    time.getUTCDate() === day &&
    hour < 24 &&
    minute < 60 &&
    second < 60;
  return isSame ? time.getTime() + Math.floor(fraction * 1000) : undefined;
}

/** The times at which a zone had this local time: none, one or two. `undefined` if the zone is unknown. */
function timesAt(wall: number, zone: string): Date[] | undefined {
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
    .filter((time) => clock(time) === wall)
    .sort((a, b) => a - b)
    .map((time) => new Date(time));
}

/** Converts a time to the local time of a zone; `undefined` if the zone is unknown. */
function clockOf(zone: string): ((time: number) => number) | undefined {
  let format: Intl.DateTimeFormat;
  try {
    format = new Intl.DateTimeFormat("en-US", {
      timeZone: zone,
      hourCycle: "h23",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    });
  } catch {
    return undefined;
  }
  return (time) => {
    const parts = new Map(
      format.formatToParts(time).map(({ type, value }) => [type, Number(value)]),
    );
    const part = (type: Intl.DateTimeFormatPartTypes): number => parts.get(type) ?? 0;
    const shown = Date.UTC(
      part("year"),
      part("month") - 1,
      part("day"),
      part("hour"),
      part("minute"),
      part("second"),
    );
    return shown + (((time % 1000) + 1000) % 1000);
  };
}
