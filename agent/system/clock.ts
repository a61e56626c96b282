import { readFileSync } from "node:fs";

/** A file with a moment, which the agent then takes for now. For tests, in which months pass in minutes. */
const clockFile = process.env.STAGECRAFT_CLOCK;

/** What time it is. */
export function now(): Date {
  if (clockFile === undefined) return new Date();
  try {
    return new Date(readFileSync(clockFile, "utf8").trim());
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return new Date();
    throw error;
  }
}

/** Milliseconds between two looks at the clock; in months that pass in minutes a second would be long. */
export const tickMs = clockFile === undefined ? 1000 : 100;
