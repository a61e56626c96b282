import { z } from "zod";
import { signatureOf } from "./signature";

/** Maximum number of signatures listed. */
const shown = 20;

/** A kind of error in the application log, and its number of occurrences. */
const foundErrorSchema = z.strictObject({
  signature: z.string(),
  count: z.int().positive(),
});

/** The errors in the application log since a time, compared with those before it. */
export const logComparisonSchema = z.strictObject({
  /** New kinds of errors, most frequent first. */
  fresh: z.array(foundErrorSchema),
  /** Number of further new kinds. */
  more: z.int().nonnegative(),
  /** Number of errors of known kinds. */
  known: z.int().nonnegative(),
});
export type LogComparison = z.infer<typeof logComparisonSchema>;

/** A line of the output of `docker logs --timestamps`. */
export interface LogLine {
  /** `2026-11-22T09:14:00.123456789Z` */
  readonly timestamp: string;
  readonly text: string;
}

/** Parses the output of `docker logs --timestamps`; a line without a timestamp gets that of the previous line. */
export function parseLog(text: string): LogLine[] {
  let last = "";
  return text.split(/\r?\n/).flatMap((line) => {
    const match = /^(\d{4}-\d\d-\d\dT[\d:.]+Z) ?(.*)$/.exec(line);
    if (!match) return line === "" ? [] : [{ timestamp: last, text: line }];
    const [, timestamp = "", rest = ""] = match;
    last = timestamp;
    return [{ timestamp, text: rest }];
  });
}

/** Whether a timestamp is not before another; both in Docker's format: UTC, with up to nine fractional digits. */
export function isSince(timestamp: string, since: string): boolean {
  return comparable(timestamp) >= comparable(since);
}

/** Compares the errors since a time with those before it. */
export function compareLog(
  lines: readonly LogLine[],
  since: string,
  isError: RegExp,
): LogComparison {
  const errors = lines.filter(({ text }) => isError.test(text));
  const before = new Set(
    errors
      .filter(({ timestamp }) => !isSince(timestamp, since))
      .map(({ text }) => signatureOf(text)),
  );
  const counts = new Map<string, number>();
  let known = 0;
  for (const { timestamp, text } of errors) {
    if (!isSince(timestamp, since)) continue;
    const signature = signatureOf(text);
    if (before.has(signature)) known++;
    else counts.set(signature, (counts.get(signature) ?? 0) + 1);
  }
  const fresh = [...counts]
    .map(([signature, count]) => ({ signature, count }))
    .sort((a, b) => b.count - a.count);
  return { fresh: fresh.slice(0, shown), more: Math.max(0, fresh.length - shown), known };
}

/** The last lines of a log, for display; of lines with the same signature, only the last one. */
export function lastDistinctLines(lines: readonly LogLine[], count: number): string[] {
  const seen = new Set<string>();
  const last: string[] = [];
  for (const { text } of lines.toReversed()) {
    const signature = signatureOf(text);
    if (seen.has(signature) || text.trim() === "") continue;
    seen.add(signature);
    last.unshift(shownLine(text));
    if (last.length === count) break;
  }
  return last;
}

/** Removes control characters and truncates long lines. */
function shownLine(text: string): string {
  const clean = text.replace(/\u001b\[[0-9;]*m/g, "").replace(/[\u0000-\u001f\u007f]/g, " ");
  return clean.length > 200 ? `${clean.slice(0, 199)}…` : clean;
}

function comparable(timestamp: string): string {
  const [seconds = "", fraction = ""] = timestamp.replace(/Z$/, "").split(".");
  return `${seconds}.${fraction.padEnd(9, "0")}`;
}
