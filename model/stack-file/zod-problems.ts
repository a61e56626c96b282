import { type z } from "zod";
import { type ConfigProblem, unknownKey } from "../base/config-problem";
import { nearest } from "../base/nearest";
import { configKeyAt } from "./config-keys";

/** Converts an issue of zod to human-readable problems. `known` are the valid keys next to an unknown one. */
export function problemsOf(
  issue: z.core.$ZodIssue,
  at: readonly PropertyKey[],
  known: readonly string[],
): ConfigProblem[] {
  const path = [...at, ...issue.path];
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => unknownKey([...path, key], known));
  }
  return [{ path: path.join("."), text: sentence(issue, path) }];
}

function sentence(issue: z.core.$ZodIssue, path: readonly PropertyKey[]): string {
  const given = issue.input;
  // Messages about a section as a whole, or about a missing key, are complete.
  if (issue.code === "custom" && typeof given === "object") return issue.message;
  if (given === undefined) return missing(path);
  // zod's default messages start with this word; ours are used unchanged.
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
    return "; remove the quotes";
  }
  if (issue.code === "invalid_value" && typeof given === "string") {
    const suggestion = nearest(given, issue.values.map(String));
    return suggestion === undefined ? "" : `; did you mean ${JSON.stringify(suggestion)}?`;
  }
  return "";
}

function missing(path: readonly PropertyKey[]): string {
  const key = configKeyAt(path);
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
