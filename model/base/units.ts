import { z } from "zod";

const byteUnits = {
  B: 1,
  kB: 2 ** 10,
  KB: 2 ** 10,
  MB: 2 ** 20,
  GB: 2 ** 30,
  TB: 2 ** 40,
} as const;
type ByteUnit = keyof typeof byteUnits;

/** Parses a size such as `"2 GB"` or `"512MB"` into bytes, in PostgreSQL's units (multiples of 1024); `undefined` when it is invalid. */
export function parseBytes(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*(B|kB|KB|MB|GB|TB)$/.exec(text.trim());
  if (!match) return undefined;
  return Math.round(Number(match[1]) * byteUnits[match[2] as ByteUnit]);
}

const durationUnits = { s: 1, min: 60, h: 3600, d: 86_400 } as const;

/** Parses a duration such as `"2 h"` or `"90 min"` into seconds; `undefined` when it is invalid. */
export function parseDuration(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*(s|min|h|d)$/.exec(text.trim());
  if (!match) return undefined;
  return Math.round(Number(match[1]) * durationUnits[match[2] as keyof typeof durationUnits]);
}

/** Formats a size: `"1.9 GB"`, `"412 kB"`. */
export function formatBytes(bytes: number): string {
  const units: readonly ByteUnit[] = ["TB", "GB", "MB", "kB"];
  for (const unit of units) {
    const value = bytes / byteUnits[unit];
    // A value that would be rounded to 1024 is shown as 1 of the next unit.
    if (value >= 1 - 0.5 / 1024)
      return `${value >= 100 ? value.toFixed(0) : trimZero(value.toFixed(1))} ${unit}`;
  }
  return `${bytes} B`;
}

/** Formats a duration: `"0.14 s"`, `"41 s"`, `"2 min 06 s"`, `"3 h 05 min"`. */
export function formatDuration(seconds: number): string {
  if (seconds < 0.995) return `${trimZero(seconds.toFixed(2))} s`;
  if (seconds < 9.95) return `${trimZero(seconds.toFixed(1))} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${pad(whole % 60)} s`;
  const minutes = Math.round(seconds / 60);
  return `${Math.floor(minutes / 60)} h ${pad(minutes % 60)} min`;
}

/** Formats an age in one unit: `"5 min"`, `"6 h"`, `"12 d"`. */
export function formatAge(seconds: number): string {
  if (seconds < 60) return `${Math.max(0, Math.floor(seconds))} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 2 * 86_400) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}

/** Formats a count with thousands separators: `"11,702,113"`. */
export function formatCount(count: number): string {
  return count.toLocaleString("en-US");
}

/** Formats a count with its noun: `"1 message"`, `"412 messages"`. */
export function plural(count: number, word: string): string {
  return `${formatCount(count)} ${word}${count === 1 ? "" : "s"}`;
}

/** A size in a config file; the output is in bytes. */
export const bytesSchema = z.string().transform((text, context) => {
  const bytes = parseBytes(text);
  if (bytes !== undefined) return bytes;
  context.addIssue(`must be a size like "2 GB" or "512 MB", got "${text}"`);
  return z.NEVER;
});

/** A duration in a config file; the output is the unchanged text. */
export const durationSchema = z.string().superRefine((text, context) => {
  if ((parseDuration(text) ?? 0) > 0) return;
  context.addIssue('must be a duration like "2 h" or "90 min"');
});

function trimZero(text: string): string {
  return text.replace(/\.?0+$/, "");
}

function pad(value: number): string {
  return String(value).padStart(2, "0");
}
