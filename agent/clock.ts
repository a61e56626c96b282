import { readFileSync } from "node:fs";

/** A file with a moment, which the agent then takes for now. For tests, in which months pass in minutes. */
const clockFile = process.env.STAGECRAFT_CLOCK;

/** What time it is. */
export function now(): Date {
  return clockFile === undefined ? new Date() : new Date(readFileSync(clockFile, "utf8").trim());
}
