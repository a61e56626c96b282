import { z } from "zod";
import { applicationProblems } from "./application-problems";
import { stackKinds, type ServerKind } from "../base/names";
import { pgHbaConfigProblems } from "./pg-hba";
import { databaseRoleNames } from "../roles/names";
import { passwordSchema } from "../roles/password";
import { peopleWithLogin, type People } from "../roles/people";
import { schemaKeysAt } from "./schema-keys";
import { unknownKey, type ConfigProblem } from "../base/config-problem";
import { problemsOf } from "./zod-problems";
import { isSection, stackFileConfigSchema, type StackFileConfig } from "./schema";

/** What could be read of a stack's settings. */
export interface ParsedStackConfig {
  /** The sections without a problem; all of them when there is no problem. */
  readonly config: Partial<StackFileConfig>;
  readonly problems: readonly ConfigProblem[];
  /** Passwords that are not there; they are among the problems too. */
  readonly missingPasswords: readonly string[];
}

/** Checks the settings of a stack, section by section, so that one bad section hides no problem of another. */
export function parseStackConfig(
  stack: string,
  raw: Readonly<Record<string, unknown>>,
): ParsedStackConfig {
  const known = Object.keys(stackFileConfigSchema.shape);
  const problems = Object.keys(raw)
    .filter((key) => !known.includes(key))
    .map((key) => (key === "password" ? formerPassword(stack) : unknownKey([key], known)));
  const settings: Record<string, unknown> = {};
  for (const [key, schema] of Object.entries(stackFileConfigSchema.shape)) {
    if (key === "passwords") continue;
    const section = parse(key, schema, raw);
    if ("data" in section) settings[key] = section.data;
    else problems.push(...section.problems);
  }
  const { people = {}, database } = settings as Partial<StackFileConfig>;
  const taken = databaseRoleNames(database?.name ?? "");
  for (const name of Object.keys(people).filter((name) => taken.includes(name))) {
    const text = "must not be the name of one of the database's roles";
    problems.push({ path: `people.${name}`, text });
  }
  const { pgHba } = settings as Partial<StackFileConfig>;
  const kind = kindOf(stack);
  if (kind !== undefined && pgHba !== undefined && database !== undefined) {
    problems.push(...pgHbaConfigProblems(kind, database.name, pgHba));
  }
  if (kind === "production" && database?.keep !== undefined) {
    const text = "has no meaning on production, whose contents are never replaced; leave it out";
    problems.push({ path: "database.keep", text });
  }
  problems.push(...applicationProblems(kind, settings));
  // A person whose role is misspelt is somebody all the same.
  const names = isSection(raw["people"]) ? Object.keys(raw["people"]) : [];
  const passwords = parsePasswords(stack, raw["passwords"] ?? {}, people, names);
  if (passwords.problems.length === 0) settings["passwords"] = raw["passwords"];
  problems.push(...passwords.problems);
  return { config: settings, problems, missingPasswords: passwords.missing };
}

/** Reads a stack's configuration as Pulumi hands it over: every value as text, sections as JSON. */
export function readRawConfig(
  project: string,
  config: Readonly<Record<string, string>>,
): Record<string, unknown> {
  const prefix = `${project}:`;
  const entries = Object.entries(config).filter(([key]) => key.startsWith(prefix));
  return Object.fromEntries(
    entries.map(([key, text]) => [key.slice(prefix.length), readValue(text)]),
  );
}

/** Pulumi gives `{}` for a section that nobody set; one that need not be there is not there then. */
function given(schema: z.ZodType, value: unknown): unknown {
  const isUnset =
    schema instanceof z.ZodOptional && isSection(value) && Object.keys(value).length === 0;
  return isUnset ? undefined : value;
}

type Section = { readonly data: unknown } | { readonly problems: readonly ConfigProblem[] };

function parse(key: string, schema: z.ZodType, raw: Readonly<Record<string, unknown>>): Section {
  const isObject = schema instanceof z.ZodObject;
  // A section that is not there lacks its keys, and says so for each.
  const value = given(schema, raw[key]) ?? (isObject ? {} : undefined);
  const { success, data, error } = schema.safeParse(value, { reportInput: true });
  if (success) return { data };
  return {
    problems: error.issues.flatMap((issue) =>
      problemsOf(issue, [key], schemaKeysAt(schema, issue.path)),
    ),
  };
}

/** Apart from the rest, because their values are never shown. */
function parsePasswords(
  stack: string,
  given: unknown,
  people: People,
  names: readonly string[],
): { readonly problems: readonly ConfigProblem[]; readonly missing: readonly string[] } {
  const set = (name: string): string =>
    `pulumi config set --secret --path passwords.${name} -s ${stack}`;
  if (!isSection(given)) {
    const text = `must be a section with a password for each role; set the first with: ${set("application")}`;
    return { problems: [{ path: "passwords", text }], missing: [] };
  }
  const problem = (name: string, text: string): ConfigProblem => ({
    path: `passwords.${name}`,
    text,
  });
  const kind = kindOf(stack);
  const logins = kind === undefined ? [] : peopleWithLogin(kind, people);
  const missing = [...roles, ...logins].filter((name) => (given[name] ?? "") === "");
  const known = [...roles, ...names];
  const problems = Object.entries(given).flatMap(([name, value]) => {
    if (!known.includes(name)) {
      const remove = `pulumi config rm --path passwords.${name} -s ${stack}`;
      return [problem(name, `is nobody's; take it out with: ${remove}`)];
    }
    if (missing.includes(name)) return [];
    const [issue] = passwordSchema.safeParse(value).error?.issues ?? [];
    return issue ? [problem(name, `${sentenceOf(issue)}; give another with: ${set(name)}`)] : [];
  });
  const make = (name: string): string => `npm start -- ${stack}   or: ${set(name)}`;
  return {
    problems: [
      ...missing.map((name) => problem(name, `is missing; make one with: ${make(name)}`)),
      ...problems,
    ],
    missing,
  };
}

function kindOf(stack: string): ServerKind | undefined {
  return Object.hasOwn(stackKinds, stack)
    ? stackKinds[stack as keyof typeof stackKinds]
    : undefined;
}

/** The roles that have a password on every server. */
const roles = Object.keys(stackFileConfigSchema.shape.passwords.shape);

function sentenceOf({ code, message }: z.core.$ZodIssue): string {
  return code === "invalid_type" ? "must be text" : message;
}

function formerPassword(stack: string): ConfigProblem {
  const text = `has become passwords, with one for each role: npm start -- ${stack} makes them; take the old one out with: pulumi config rm password -s ${stack}`;
  return { path: "password", text };
}

function readValue(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return isSection(value) || Array.isArray(value) ? value : text;
  } catch {
    return text;
  }
}
