import { z } from "zod";
import { signatureOf } from "./signature";

/** Signatures that are told one by one. */
const shown = 20;

/** A kind of error in a log, and how often it was there. */
const foundErrorSchema = z.strictObject({
  signature: z.string(),
  count: z.int().positive(),
});

/** What the errors in a log since a timestamp are, held against those before it. */
export const logComparisonSchema = z.strictObject({
  /** Kinds that were not there before, the most frequent first. */
  fresh: z.array(foundErrorSchema),
  /** Further kinds that were not there before. */
  more: z.int().nonnegative(),
  /** Lines of kinds that were there before. */
  known: z.int().nonnegative(),
});
export type LogComparison = z.infer<typeof logComparisonSchema>;

/** A line of a log as `docker logs --timestamps` gives it. */
export interface LogLine {
  /** `2026-11-22T09:14:00.123456789Z` */
  readonly timestamp: string;
  readonly text: string;
}

/** Reads lines as `docker logs --timestamps` gives them; one without a timestamp has that of the line above. */
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

/** Whether a timestamp is at or after another, both as Docker writes them: in UTC, with up to nine digits behind the point. */
export function isSince(timestamp: string, since: string): boolean {
  return comparable(timestamp) >= comparable(since);
}

/** Compares the errors since a timestamp with those before it. A kind that was there before is no news. */
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

/** The last lines of a log, for a person: of those that differ in nothing but their signature's gaps only the last one. */
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

/** Without what would break a terminal. */
function shownLine(text: string): string {
  const clean = text.replace(/\u001b\[[0-9;]*m/g, "").replace(/[\u0000-\u001f\u007f]/g, " ");
  return clean.length > 200 ? `${clean.slice(0, 199)}…` : clean;
}

function comparable(timestamp: string): string {
  const [seconds = "", fraction = ""] = timestamp.replace(/Z$/, "").split(".");
  return `${seconds}.${fraction.padEnd(9, "0")}`;
}
