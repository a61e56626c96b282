import type { z } from "zod";
import { plural } from "./units";
import { settingKey } from "../stack-file/keys";
import { nearest } from "./nearest";

/** Something in a settings file that a person must put right. */
export interface SettingProblem {
  /** Key path, e.g. `postgres.port`. */
  readonly path: string;
  /** What is wrong, with the value and the fix. */
  readonly text: string;
}

/** All problems of a file as one message, the key paths in a column. */
export function formatProblems(file: string, problems: readonly SettingProblem[]): string {
  const width = Math.max(...problems.map(({ path }) => path.length));
  const lines = problems.map(({ path, text }) => `  ${path.padEnd(width)}   ${text}`);
  return [`${file} has ${plural(problems.length, "problem")}`, ...lines].join("\n");
}

/** What zod found, in a person's words. `known` are the keys that fit beside an unknown one. */
export function problemsOf(
  issue: z.core.$ZodIssue,
  at: readonly PropertyKey[],
  known: readonly string[],
): SettingProblem[] {
  const path = [...at, ...issue.path];
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => unknownKey([...path, key], known));
  }
  return [{ path: path.join("."), text: sentence(issue, path) }];
}

/** An unknown setting, with the one that was probably meant. */
export function unknownKey(path: readonly PropertyKey[], known: readonly string[]): SettingProblem {
  const meant = nearest(String(path.at(-1)), known);
  const fix = meant === undefined ? `there are ${known.join(", ")}` : `did you mean ${meant}?`;
  return { path: path.join("."), text: `unknown setting; ${fix}` };
}

function sentence(issue: z.core.$ZodIssue, path: readonly PropertyKey[]): string {
  const given = issue.input;
  // Messages about the section as a whole, or that name the missing key, are complete.
  if (issue.code === "custom" && typeof given === "object") return issue.message;
  if (given === undefined) return missing(path);
  // zod's own sentences begin so; ours stand as they are.
  if (!issue.message.startsWith("Invalid")) return `${issue.message}, got ${shown(given)}`;
  return `${rule(issue)}, got ${shown(given)}${hint(issue)}`;
}

function rule(issue: z.core.$ZodIssue): string {
  if (issue.code === "invalid_type") return `must be ${kinds[issue.expected] ?? issue.expected}`;
  if (issue.code !== "invalid_value") return issue.message;
  return `must be ${issue.values.map((value) => JSON.stringify(value)).join(" or ")}`;
}

const kinds: Readonly<Record<string, string>> = {
  string: "text",
  number: "a number",
  int: "a whole number",
  object: "a section with lines of key: value",
};

function hint(issue: z.core.$ZodIssue): string {
  const given = issue.input;
  if (issue.code === "invalid_type" && issue.expected === "string" && typeof given !== "object") {
    return "; put it in quotes";
  }
  if (issue.code === "invalid_type" && typeof given === "string" && /^\d+$/.test(given)) {
    return "; leave the quotes out";
  }
  if (issue.code === "invalid_value" && typeof given === "string") {
    const meant = nearest(given, issue.values.map(String));
    return meant === undefined ? "" : `; did you mean ${JSON.stringify(meant)}?`;
  }
  return "";
}

function missing(path: readonly PropertyKey[]): string {
  const key = settingKey(path);
  const name = String(path.at(-1));
  return key?.example === undefined
    ? "is missing"
    : `is missing; for example ${name}: ${key.example}`;
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) as string | undefined;
  if (text === undefined) return String(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}
