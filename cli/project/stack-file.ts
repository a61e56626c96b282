import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { formatProblems, type ConfigProblem } from "../../model/base/config-problem";
import { encryptedPlaceholder } from "../../model/base/encrypted-value";
import { engineNames, type EngineNames } from "../../model/base/engine-names";
import { parseStackConfig } from "../../model/stack-file/parse";
import { isSection, type StackFileConfig } from "../../model/stack-file/schema";
import { Rejection } from "../base/problem";
import type { StackName } from "./stacks";

/** What can be read from a `Pulumi.<stack>.yaml` without Pulumi: everything but encrypted values. */
export interface StackFile {
  readonly path: string;
  /** The sections without a problem. */
  readonly settings: Partial<StackFileConfig>;
  /** Problems of the other sections, without missing passwords. */
  readonly problems: readonly ConfigProblem[];
  /** Where the server runs: `local` or an address. */
  readonly host: string;
  readonly names: EngineNames;
  /** Names of the passwords that must be generated. */
  readonly missingPasswords: readonly string[];
}

/** Reads `Pulumi.<stack>.yaml`. Raises a {@link Rejection} when it is missing, is not YAML, or lacks a valid name prefix or host. */
export function readStackFile(folder: string, stack: StackName): StackFile {
  const name = `Pulumi.${stack}.yaml`;
  const path = join(folder, name);
  if (!existsSync(path)) throw new Rejection(`${name} is missing`, `git checkout ${name}`);
  const raw = ownKeys(parseYaml(name, readFileSync(path, "utf8")));
  const {
    config: settings,
    problems,
    missingPasswords,
  } = parseStackConfig(stack, {
    ...raw,
    passwords: hidePasswords(raw["passwords"]),
    backups: hideEncrypted(raw["backups"]),
    data: hideEncrypted(raw["data"]),
  });
  const { namePrefix, host } = settings;
  if (namePrefix === undefined || host === undefined)
    throw new Rejection(formatProblems(name, problems));
  const isMissing = missingPasswords.map((name) => `passwords.${name}`);
  return {
    path,
    settings,
    problems: problems.filter((problem) => !isMissing.includes(problem.path)),
    host,
    names: engineNames(namePrefix, stack),
    missingPasswords,
  };
}

/** Replaces passwords, which are encrypted, by a placeholder. */
function hidePasswords(passwords: unknown): unknown {
  return isSection(passwords)
    ? Object.fromEntries(Object.keys(passwords).map((name) => [name, "encrypted"]))
    : passwords;
}

/** Replaces encrypted values among others by a placeholder. */
function hideEncrypted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(hideEncrypted);
  if (!isSection(value)) return value;
  if (typeof value["secure"] === "string") return encryptedPlaceholder;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, hideEncrypted(inner)]),
  );
}

const stackFileSchema = z
  .object({ config: z.record(z.string(), z.unknown()).nullish() })
  .nullish()
  .transform((file) => file?.config ?? {});

function parseYaml(name: string, text: string): Record<string, unknown> {
  let document: unknown;
  try {
    document = parse(text);
  } catch (error) {
    const [firstLine = ""] = (error as Error).message.split("\n");
    throw new Rejection(`${name} is not YAML: ${firstLine.replace(/:$/, "")}`);
  }
  const file = stackFileSchema.safeParse(document);
  if (file.success) return file.data;
  throw new Rejection(`${name} has no section "config"`, `git checkout ${name}`);
}

function ownKeys(config: Record<string, unknown>): Record<string, unknown> {
  const own = "stagecraft:";
  return Object.fromEntries(
    Object.entries(config)
      .filter(([key]) => key.startsWith(own))
      .map(([key, value]) => [key.slice(own.length), value]),
  );
}
