import * as pulumi from "@pulumi/pulumi";
import { existsSync, readFileSync } from "node:fs";
import { UserError } from "../components/engine/user-error";
import type { Contents, Passwords, StackConfig } from "../components";
import { EngineProblem } from "../engine/problems";
import { buildFolderProblem } from "../components/application/build-folder";
import { findContents } from "../components/contents/find-contents";
import { findPins } from "../components/backups/pins";
import { isEngineLocal, portProblem } from "../components/engine/port";
import { prefetchObservedState, publishedPorts } from "../components/engine/server-state";
import { isSecretOption } from "../model/backup/offsite-config";
import { localHost } from "../model/base/host";
import { stackKinds } from "../model/base/names";
import { engineNames } from "../model/base/engine-names";
import { rulesOfServer } from "../model/stack-file/pg-hba";
import { parseStackConfig, readRawConfig } from "../model/stack-file/parse";
import { formatProblems, type ConfigProblem } from "../model/base/config-problem";
import type { StackFileConfig } from "../model/stack-file/schema";
import { readUpgrades } from "../tools/read-upgrades";
import { readTlsFiles } from "./tls-files";

/** Loads a stack file and checks the files it names. Raises one {@link UserError} with all problems, before anything is changed. */
export async function loadConfig(stack: string): Promise<StackConfig> {
  const project = pulumi.getProject();
  const raw = readRawConfig(project, pulumi.runtime.allConfig());
  const { config: settings, problems } = parseStackConfig(stack, raw);
  const projectFolder = process.cwd();
  const { namePrefix = "", host, database } = settings;
  // On another host every observation would wait for its own connection while it is not yet known whether the host answers.
  if (host === localHost) prefetchObservedState(engineNames(namePrefix, stack), host);
  const scope = { projectFolder, namePrefix, database: database?.name };
  const found = settings.data && findContents(settings.data, scope);
  const files = readTlsFiles(projectFolder, settings.tls ?? {});
  const scripts = settings.upgrades
    ? readUpgrades(projectFolder, settings.upgrades)
    : { upgrades: undefined, problems: [] };
  const all = [
    ...problems,
    ...files.problems,
    ...scripts.problems,
    ...(found && "problem" in found ? [found.problem] : []),
    ...secretProblems(project, stack, settings),
    ...applicationProblems(project, settings),
    ...(await portProblems(stack, settings)),
  ];
  if (all.length > 0) throw new UserError(formatProblems(`Pulumi.${stack}.yaml`, all));
  const passwords = new pulumi.Config(project).requireSecretObject<Passwords>("passwords");
  // Without problems every section exists, and the stack is a known one.
  const { contents } = found as { contents: Contents };
  const checked = settings as StackFileConfig;
  const kind = stackKinds[stack as keyof typeof stackKinds];
  const rules = rulesOfServer(kind, checked.database.name, checked.pgHba);
  const { application, readonly, monitoring, maps } = checked.pgHba;
  const pgHba = { application, readonly, monitoring, rules, maps };
  const pins = await findPins(projectFolder, checked.namePrefix, stack).catch((error: unknown) => {
    throw new UserError((error as Error).message);
  });
  const backups = { ...checked.backups, pins };
  const upgrades = scripts.upgrades?.scripts.length === 0 ? undefined : scripts.upgrades;
  return { ...checked, data: contents, passwords, pgHba, backups, tls: files.tls, upgrades };
}

function secretProblems(
  project: string,
  stack: string,
  {
    passwords = {},
    backups,
    data,
  }: {
    readonly passwords?: Readonly<Record<string, string>>;
    readonly backups?: StackFileConfig["backups"];
    readonly data?: StackFileConfig["data"];
  },
): ConfigProblem[] {
  // Set by Pulumi for every program; the SDK does not expose it. It names sections, not single keys.
  const secretKeys = process.env["PULUMI_CONFIG_SECRET_KEYS"] ?? "";
  const file = stackFileText(stack);
  const secrets = [
    ...Object.entries(passwords).map(([name, value]) => ["passwords", name, value] as const),
    ...secretsOfBackups(backups).map(([name, value]) => ["backups", name, value] as const),
    ...secretsOfData(data).map(([name, value]) => ["data", name, value] as const),
  ];
  const plain = secrets.filter(
    ([section, , value]) =>
      !secretKeys.includes(`"${project}:${section}"`) ||
      spellings(value).some((text) => file.includes(text)),
  );
  return plain.map(([section, name]) => ({
    path: `${section}.${name}`,
    text: `must be a secret, but is plain text; replace it with: pulumi config set --secret --path ${section}.${name} -s ${stack}`,
  }));
}

/** Secrets of the `data` section, by key path. */
function secretsOfData({ offsite }: Partial<StackFileConfig["data"]> = {}): [string, string][] {
  if (!offsite) return [];
  const options = Object.entries(offsite.options)
    .filter(([name]) => isSecretOption(name))
    .map(([name, value]): [string, string] => [`offsite.options.${name}`, value]);
  return [...options, ["offsite.identity", offsite.identity]];
}

/** Secrets of the `backups` section, by key path. */
function secretsOfBackups({ offsite, alerts }: Partial<StackFileConfig["backups"]> = {}): [
  string,
  string,
][] {
  const options = Object.entries(offsite?.options ?? {})
    .filter(([name]) => isSecretOption(name))
    .map(([name, value]): [string, string] => [`offsite.options.${name}`, value]);
  const smtp = alerts?.email?.smtp;
  const hasPassword = smtp !== undefined && new URL(smtp).password !== "";
  return [...options, ...(hasPassword ? [["alerts.email.smtp", smtp] as [string, string]] : [])];
}

function stackFileText(stack: string): string {
  const path = `Pulumi.${stack}.yaml`;
  return existsSync(path) ? readFileSync(path, "utf8") : "";
}

/** The ways YAML may write a text: plain, or in single or double quotes. */
function spellings(text: string): string[] {
  return [text, text.replaceAll("'", "''"), JSON.stringify(text)];
}

/** Problems of the application's build folder and environment. */
function applicationProblems(
  project: string,
  { application }: Partial<StackFileConfig>,
): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const build = application?.build && buildFolderProblem(application.build);
  if (build) problems.push({ path: "application.build", text: build });
  const secretKeys = process.env["PULUMI_CONFIG_SECRET_KEYS"] ?? "";
  if (application?.environment && secretKeys.includes(`"${project}:application"`)) {
    const text =
      "contains a secret, but environment variables are visible to anyone with access to the Docker engine; use plain values only";
    problems.push({ path: "application.environment", text });
  }
  return problems;
}

async function portProblems(
  stack: string,
  { namePrefix, host, postgres, application }: Partial<StackFileConfig>,
): Promise<ConfigProblem[]> {
  if (namePrefix === undefined || host === undefined || postgres === undefined) return [];
  const { published, isRestarting } = await orUserError(publishedPorts(host, namePrefix, stack));
  if (!isEngineLocal(host, process.env["DOCKER_HOST"])) return [];
  const ports = Object.entries({ postgres, application }).map(async ([section, settings]) => {
    if (settings === undefined) return [];
    const { port } = settings;
    const address = "address" in settings ? settings.address : "127.0.0.1";
    if (isRestarting || published.includes(port)) return [];
    const problem = await portProblem(port, address);
    if (problem === undefined) return [];
    if (problem === "taken") {
      const text = `${port} is in use by another program on ${address}; stop it, or choose another port`;
      return [{ path: `${section}.port`, text }];
    }
    const text = `${address} is not an address of this machine; use one of its addresses, or 0.0.0.0 for all`;
    return [{ path: `${section}.address`, text }];
  });
  return (await Promise.all(ports)).flat();
}

async function orUserError<T>(question: Promise<T>): Promise<T> {
  try {
    return await question;
  } catch (error) {
    throw error instanceof EngineProblem ? new UserError(problemText(error)) : error;
  }
}

function problemText({ message, fix }: EngineProblem): string {
  return fix === undefined ? message : `${message}\n  ${fix}`;
}
