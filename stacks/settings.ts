import * as pulumi from "@pulumi/pulumi";
import { ToldError } from "../components/told-error";
import type { Dump } from "../components";
import { EngineProblem } from "../components/machine/docker";
import { findDump } from "../components/machine/find-dump";
import { isEngineLocal, isPortTaken } from "../components/machine/port";
import { publishedPorts } from "../components/machine/sight";
import { parseSettings, readRawSettings } from "../model/settings/parse";
import { formatProblems, type SettingProblem } from "../model/settings/problems";
import type { Settings } from "../model/settings/schema";

/** A stack's settings, checked, with its dump found. */
export interface StackSettings extends Omit<Settings, "data" | "password"> {
  /** Where the contents come from. */
  readonly data: Dump;
  /** Password of the role that owns the database. */
  readonly password: pulumi.Output<string>;
}

/** Reads a stack's settings and looks at what they name. All that is wrong is one error, raised before anything is touched. */
export async function readSettings(stack: string): Promise<StackSettings> {
  const project = pulumi.getProject();
  const raw = readRawSettings(project, pulumi.runtime.allConfig());
  const { settings, problems } = parseSettings(stack, raw);
  const found = settings.data && findDump(process.cwd(), settings.data, settings.database?.name);
  const all = [
    ...problems,
    ...(found && "problem" in found ? [found.problem] : []),
    ...secretProblems(project, stack, settings),
    ...(await portProblems(stack, settings)),
  ];
  if (all.length > 0) throw new ToldError(formatProblems(`Pulumi.${stack}.yaml`, all));
  const password = new pulumi.Config(project).requireSecret("password");
  // Without problems every section is there.
  const { dump } = found as { dump: Dump };
  return { ...(settings as Settings), data: dump, password };
}

function secretProblems(
  project: string,
  stack: string,
  { password }: Partial<Settings>,
): SettingProblem[] {
  // Set by Pulumi for every program; its SDK reads it but does not hand it out.
  const secretKeys = process.env["PULUMI_CONFIG_SECRET_KEYS"] ?? "";
  if (password === undefined || secretKeys.includes(`"${project}:password"`)) return [];
  const text = `must be a secret, and it stands there in plain text; give another with: pulumi config set --secret password -s ${stack}`;
  return [{ path: "password", text }];
}

async function portProblems(
  stack: string,
  { namePrefix, postgres }: Partial<Settings>,
): Promise<SettingProblem[]> {
  if (namePrefix === undefined || postgres === undefined) return [];
  const { port } = postgres;
  const isOurs = (await askEngine(publishedPorts(namePrefix, stack))).includes(port);
  const isElsewhere = !isEngineLocal(process.env["DOCKER_HOST"]);
  if (isOurs || isElsewhere || !(await isPortTaken(port))) return [];
  const text = `${port} is taken by another program on 127.0.0.1; stop it, or give another port`;
  return [{ path: "postgres.port", text }];
}

async function askEngine<T>(question: Promise<T>): Promise<T> {
  try {
    return await question;
  } catch (error) {
    throw error instanceof EngineProblem ? new ToldError(error.message) : error;
  }
}
