import { existsSync } from "node:fs";
import { stat } from "node:fs/promises";
import {
  baseImage,
  dockerEngine,
  nodeRuntime,
  pulumiToolchain,
  type Requirement,
} from "../../tools";
import { packageFolder } from "../../tools/folders";
import { packageDate } from "../../tools/package-date";
import { formatProblems } from "../../model/base/config-problem";
import { Problem, Rejection } from "../base/problem";
import { readStackFile } from "../project/stack-file";
import { hasOwnPassphrase, hasSecrets, passphrasePath } from "../pulumi/setup";
import { stackNames } from "../project/stacks";
import { StepList } from "../terminal/steps";
import { doctorText, packageAgeText, type DoctorCheck } from "../text/doctor";
import { paintFor } from "../base/paint";

/** Options of `stagecraft doctor`. */
export interface DoctorOptions {
  readonly json?: boolean;
  /** Install missing requirements first. */
  readonly fix?: boolean;
}

const requirements = [nodeRuntime, dockerEngine, baseImage, pulumiToolchain];

/** `stagecraft doctor`: checks this machine and the project; whether all checks passed. */
export async function runDoctor(folder: string, options: DoctorOptions): Promise<boolean> {
  if (options.fix) await installRequirements();
  const machine = await Promise.all([
    ...requirements.map(checkRequirement),
    checkPassphrase(folder),
  ]);
  const image = {
    name: "server image",
    ok: true,
    detail: packageAgeText(packageDate(packageFolder()), new Date()),
  };
  const findings = [...machine, image, ...stackNames.map((stack) => checkStackFile(folder, stack))];
  console.log(
    options.json
      ? JSON.stringify({ findings }, null, 2)
      : doctorText(findings, paintFor(process.stdout)),
  );
  return findings.every(({ ok }) => ok);
}

/** Installs what this machine lacks. Progress goes to stderr, because stdout may be JSON. */
async function installRequirements(): Promise<void> {
  const steps = new StepList(process.stderr);
  for (const requirement of requirements) {
    await steps.run(requirement.name, async (report) => ({
      detail: await requirement.ensure(report),
    }));
  }
}

async function checkRequirement(requirement: Requirement): Promise<DoctorCheck> {
  return { name: requirement.name, ...(await requirement.check()) };
}

async function checkPassphrase(folder: string): Promise<DoctorCheck> {
  const name = "passphrase";
  if (hasOwnPassphrase()) return { name, ok: true, detail: "from the environment" };
  const path = passphrasePath(folder);
  if (!existsSync(path)) {
    const secrets = await Promise.all(stackNames.map(async (stack) => hasSecrets(folder, stack)));
    const files = stackNames.filter((_, i) => secrets[i]).map((stack) => `Pulumi.${stack}.yaml`);
    if (files.length > 0) {
      const detail = `is missing, and secrets of ${files.join(", ")} need it`;
      const fix = `restore it as ${path}, or set PULUMI_CONFIG_PASSPHRASE`;
      return { name, ok: false, detail, fix };
    }
    return { name, ok: false, detail: "not created yet", fix: "npm start" };
  }
  const mode = (await stat(path)).mode & 0o777;
  return (mode & 0o077) === 0
    ? { name, ok: true, detail: ".stagecraft/passphrase" }
    : { name, ok: false, detail: "readable by other users", fix: `chmod 600 ${path}` };
}

function checkStackFile(folder: string, stack: (typeof stackNames)[number]): DoctorCheck {
  const name = `Pulumi.${stack}.yaml`;
  try {
    const { problems, missingPasswords } = readStackFile(folder, stack);
    if (problems.length > 0) throw new Rejection(formatProblems(name, problems));
    const isSetUp = missingPasswords.length === 0;
    const detail = isSetUp ? "set up" : `not set up yet: npm start -- ${stack}`;
    return { name, ok: true, detail };
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    const fix = typeof error.fix === "string" ? error.fix : `fix it in ${name}`;
    return { name, ok: false, detail: error.message, fix };
  }
}
