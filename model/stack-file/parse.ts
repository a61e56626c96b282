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

/** A parsed stack file. */
export interface ParsedStackConfig {
  /** The valid sections; all sections if there are no problems. */
  readonly config: Partial<StackFileConfig>;
  readonly problems: readonly ConfigProblem[];
  /** Names of the missing passwords, which are also among the problems. */
  readonly missingPasswords: readonly string[];
}

/** Checks a stack file section by section, so that an invalid section does not hide problems of another. */
export function parseStackConfig(
  stack: string,
  raw: Readonly<Record<string, unknown>>,
): ParsedStackConfig {
  const known = Object.keys(stackFileConfigSchema.shape);
  const problems = Object.keys(raw)
    .filter((key) => !known.includes(key))
    .map((key) => (key === "password" ? replacedPassword(stack) : unknownKey([key], known)));
  const config: Record<string, unknown> = {};
  for (const [key, schema] of Object.entries(stackFileConfigSchema.shape)) {
    if (key === "passwords") continue;
    const section = parse(key, schema, raw);
    if ("data" in section) config[key] = section.data;
    else problems.push(...section.problems);
  }
  const { people = {}, database } = config as Partial<StackFileConfig>;
  const taken = databaseRoleNames(database?.name ?? "");
  for (const name of Object.keys(people).filter((name) => taken.includes(name))) {
    const text = "must not be the name of one of the database's roles";
    problems.push({ path: `people.${name}`, text });
  }
  const { pgHba } = config as Partial<StackFileConfig>;
  const kind = kindOf(stack);
  if (kind !== undefined && pgHba !== undefined && database !== undefined) {
    // Not of the parsed section: another value in it may be invalid.
    const clientCa = isSection(raw["tls"]) && raw["tls"]["clientCa"] !== undefined;
    problems.push(...pgHbaConfigProblems(kind, database.name, pgHba, clientCa));
  }
  if (kind === "production" && database?.keep !== undefined) {
    const text = "is not allowed on production, whose contents are never replaced; remove it";
    problems.push({ path: "database.keep", text });
  }
  problems.push(...applicationProblems(kind, config));
  // Passwords of users with an invalid role are not unknown.
  const names = isSection(raw["people"]) ? Object.keys(raw["people"]) : [];
  const passwords = parsePasswords(stack, raw["passwords"] ?? {}, people, names);
  if (passwords.problems.length === 0) config["passwords"] = raw["passwords"];
  problems.push(...passwords.problems);
  return { config, problems, missingPasswords: passwords.missing };
}

/** Reads a stack's configuration as Pulumi provides it: all values as text, sections as JSON. */
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

/** Pulumi provides `{}` for an unset section; if the section is optional, it counts as absent. */
function given(schema: z.ZodType, value: unknown): unknown {
  const isUnset =
    schema instanceof z.ZodOptional && isSection(value) && Object.keys(value).length === 0;
  return isUnset ? undefined : value;
}

type Section = { readonly data: unknown } | { readonly problems: readonly ConfigProblem[] };

function parse(key: string, schema: z.ZodType, raw: Readonly<Record<string, unknown>>): Section {
  const isObject = schema instanceof z.ZodObject;
  // A missing section is reported by its missing keys.
  const value = given(schema, raw[key]) ?? (isObject ? {} : undefined);
  const { success, data, error } = schema.safeParse(value, { reportInput: true });
  if (success) return { data };
  return {
    problems: error.issues.flatMap((issue) =>
      problemsOf(issue, [key], schemaKeysAt(schema, issue.path)),
    ),
  };
}

/** Separate from the other sections, because passwords are never shown. */
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
      return [problem(name, `belongs to no role; remove it with: ${remove}`)];
    }
    if (missing.includes(name)) return [];
    const [issue] = passwordSchema.safeParse(value).error?.issues ?? [];
    return issue ? [problem(name, `${sentenceOf(issue)}; change it with: ${set(name)}`)] : [];
  });
  const create = (name: string): string => `npm start -- ${stack}   or: ${set(name)}`;
  return {
    problems: [
      ...missing.map((name) => problem(name, `is missing; create one with: ${create(name)}`)),
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

/** The roles with a password on every server. */
const roles = Object.keys(stackFileConfigSchema.shape.passwords.shape);

function sentenceOf({ code, message }: z.core.$ZodIssue): string {
  return code === "invalid_type" ? "must be text" : message;
}

function replacedPassword(stack: string): ConfigProblem {
  const text = `was replaced by passwords, with one per role: create them with npm start -- ${stack}; remove the old one with: pulumi config rm password -s ${stack}`;
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
