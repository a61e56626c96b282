import { readFileSync } from "node:fs";

/** A file with a timestamp that the agent uses as the current time. For tests, in which months pass in minutes. */
const clockFile = process.env.STAGECRAFT_CLOCK;

/** The current time. */
export function now(): Date {
  if (clockFile === undefined) return new Date();
  try {
    return new Date(readFileSync(clockFile, "utf8").trim());
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return new Date();
    throw error;
  }
}

/** Milliseconds between two checks of the clock; fewer with a test clock, where a second can be hours. */
export const tickMs = clockFile === undefined ? 1000 : 100;
