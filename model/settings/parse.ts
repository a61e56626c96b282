import { z } from "zod";
import { problemsOf, unknownKey, type SettingProblem } from "./problems";
import { isSection, settingsSchema, type Settings } from "./schema";

/** What could be read of a stack's settings. */
export interface ParsedSettings {
  /** The sections without a problem; all of them when there is no problem. */
  readonly settings: Partial<Settings>;
  readonly problems: readonly SettingProblem[];
}

/** Checks the settings of a stack, section by section, so that one bad section hides no problem of another. */
export function parseSettings(
  stack: string,
  raw: Readonly<Record<string, unknown>>,
): ParsedSettings {
  const known = Object.keys(settingsSchema.shape);
  const problems = Object.keys(raw)
    .filter((key) => !known.includes(key))
    .map((key) => unknownKey([key], known));
  const settings: Record<string, unknown> = {};
  for (const [key, schema] of Object.entries(settingsSchema.shape)) {
    const section = key === "password" ? parsePassword(stack, raw[key]) : parse(key, schema, raw);
    if ("data" in section) settings[key] = section.data;
    else problems.push(...section.problems);
  }
  return { settings, problems };
}

/** Reads a stack's configuration as Pulumi hands it over: every value as text, sections as JSON. */
export function readRawSettings(
  project: string,
  config: Readonly<Record<string, string>>,
): Record<string, unknown> {
  const prefix = `${project}:`;
  const entries = Object.entries(config).filter(([key]) => key.startsWith(prefix));
  return Object.fromEntries(
    entries.map(([key, text]) => [key.slice(prefix.length), readValue(text)]),
  );
}

type Section = { readonly data: unknown } | { readonly problems: readonly SettingProblem[] };

function parse(key: string, schema: z.ZodType, raw: Readonly<Record<string, unknown>>): Section {
  const isObject = schema instanceof z.ZodObject;
  // A section that is not there lacks its keys, and says so for each.
  const value = raw[key] ?? (isObject ? {} : undefined);
  const { success, data, error } = schema.safeParse(value, { reportInput: true });
  if (success) return { data };
  const known = isObject ? Object.keys(schema.shape) : [];
  return { problems: error.issues.flatMap((issue) => problemsOf(issue, [key], known)) };
}

/** Apart from the rest, because its value is never shown. */
function parsePassword(stack: string, value: unknown): Section {
  const command = `pulumi config set --secret password -s ${stack}`;
  const problem = (text: string): Section => ({ problems: [{ path: "password", text }] });
  if (value === undefined || value === "") {
    return problem(`is missing; make one with: npm start -- ${stack}   or: ${command}`);
  }
  const { success, data, error } = settingsSchema.shape.password.safeParse(value);
  if (success) return { data };
  return problem(`${error.issues[0]?.message ?? "is wrong"}; give another with: ${command}`);
}

function readValue(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return isSection(value) || Array.isArray(value) ? value : text;
  } catch {
    return text;
  }
}
