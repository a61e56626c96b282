import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { formatProblems, type ConfigProblem } from "../../model/base/config-problem";
import { encryptedPlaceholder } from "../../model/base/encrypted-value";
import { engineNames, type EngineNames } from "../../model/base/engine-names";
import { parseStackConfig } from "../../model/stack-file/parse";
import { isSection, type StackConfig } from "../../model/stack-file/schema";
import { Problem } from "../base/problem";
import type { StackName } from "./stacks";

/** A `Pulumi.<stack>.yaml`, as far as it can be used without Pulumi. */
export interface StackFile {
  readonly path: string;
  /** The sections without a problem. */
  readonly settings: Partial<StackConfig>;
  /** What is wrong with the others; passwords that are not there yet are not among them. */
  readonly problems: readonly ConfigProblem[];
  /** Where the server runs. */
  readonly host: string;
  readonly names: EngineNames;
  /** Passwords that are to be made. */
  readonly missingPasswords: readonly string[];
}

/** Reads `Pulumi.<stack>.yaml`; raises a {@link Problem} when it is not there or does not even tell which server it means. */
export function readStackFile(folder: string, stack: StackName): StackFile {
  const name = `Pulumi.${stack}.yaml`;
  const path = join(folder, name);
  if (!existsSync(path)) throw new Problem(`${name} is not there`, `git checkout ${name}`);
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
    throw new Problem(formatProblems(name, problems));
  const isMissing = missingPasswords.map((name) => `passwords.${name}`);
  return {
    ...{ path, settings, missingPasswords, host, names: engineNames(namePrefix, stack) },
    problems: problems.filter((problem) => !isMissing.includes(problem.path)),
  };
}

/** What passwords are cannot be seen here: they are encrypted. */
function hidePasswords(passwords: unknown): unknown {
  return isSection(passwords)
    ? Object.fromEntries(Object.keys(passwords).map((name) => [name, "encrypted"]))
    : passwords;
}

/** The same for encrypted values that stand among others. */
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
    throw new Problem(`${name} is not YAML: ${firstLine.replace(/:$/, "")}`);
  }
  const file = stackFileSchema.safeParse(document);
  if (file.success) return file.data;
  throw new Problem(`${name} has no section "config"`, `git checkout ${name}`);
}

function ownKeys(config: Record<string, unknown>): Record<string, unknown> {
  const own = "stagecraft:";
  return Object.fromEntries(
    Object.entries(config)
      .filter(([key]) => key.startsWith(own))
      .map(([key, value]) => [key.slice(own.length), value]),
  );
}
