import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Problem } from "../base/problem";
import { projectName } from "../project/project";
import { readStackFile } from "../project/stack-file";
import { runPulumi } from "./run-pulumi";
import type { StackName } from "../project/stacks";
import { fileBackendFolder } from "../project/file-backend";

/** Makes what a stack needs in the project folder and is not in Git: passphrase, state, the stack, its passwords. Says what it made. */
export async function ensureProjectFiles(folder: string, stack: StackName): Promise<string[]> {
  const made: string[] = [];
  if (await ensurePassphrase(folder, stack)) made.push("passphrase");
  if (await ensureStack(folder, stack)) made.push("stack");
  made.push(...(await ensurePasswords(folder, stack)));
  return made;
}

/** Where the generated passphrase is kept. */
export const passphrasePath = (folder: string): string => join(folder, ".stagecraft", "passphrase");

/** Whether a person keeps the passphrase elsewhere. */
export function hasOwnPassphrase(): boolean {
  const { PULUMI_CONFIG_PASSPHRASE, PULUMI_CONFIG_PASSPHRASE_FILE } = process.env;
  return PULUMI_CONFIG_PASSPHRASE !== undefined || PULUMI_CONFIG_PASSPHRASE_FILE !== undefined;
}

async function ensurePassphrase(folder: string, stack: StackName): Promise<boolean> {
  const path = passphrasePath(folder);
  await mkdir(join(folder, ".stagecraft", "state"), { recursive: true, mode: 0o700 });
  if (hasOwnPassphrase()) return false;
  if (existsSync(path)) {
    await chmod(path, 0o600);
    return false;
  }
  if (await hasSecrets(folder, stack)) {
    throw new Problem(
      `Pulumi.${stack}.yaml has secrets, and the passphrase that opens them is not here`,
      [
        `put it back into .stagecraft/passphrase, or set PULUMI_CONFIG_PASSPHRASE,`,
        `or begin anew: take encryptionsalt and stagecraft:passwords out of Pulumi.${stack}.yaml`,
      ],
    );
  }
  await writeFile(path, `${randomBytes(32).toString("base64url")}\n`, { mode: 0o600, flag: "wx" });
  return true;
}

/** Whether a stack file holds secrets, which the passphrase opens. */
export async function hasSecrets(folder: string, stack: StackName): Promise<boolean> {
  const text = await readFile(readStackFile(folder, stack).path, "utf8");
  return /^encryptionsalt:/m.test(text);
}

async function ensureStack(folder: string, stack: StackName): Promise<boolean> {
  if (stateFileOf(folder, stack).some((path) => existsSync(path))) return false;
  const args = ["stack", "init", stack, "--secrets-provider", "passphrase", "--no-select"];
  const { exitCode, stderr } = await runPulumi(folder, args);
  if (exitCode === 0) return true;
  if (stderr.includes("already exists")) return false;
  throw new Problem(`stack ${stack} could not be made: ${stderr.trim()}`);
}

/** The stack's state in the file backend; nothing with another backend. */
function stateFileOf(folder: string, stack: StackName): string[] {
  const state = fileBackendFolder(folder);
  if (state === undefined) return [];
  const path = join(state, ".pulumi", "stacks", projectName(folder), stack);
  return [`${path}.json`, `${path}.json.gz`];
}

async function ensurePasswords(folder: string, stack: StackName): Promise<string[]> {
  const { missingPasswords } = readStackFile(folder, stack);
  for (const name of missingPasswords) {
    const key = `stagecraft:passwords.${name}`;
    const args = ["config", "set", "--secret", "--path", key, "--stack", stack];
    const { exitCode, stderr } = await runPulumi(
      folder,
      args,
      randomBytes(24).toString("base64url"),
    );
    if (exitCode !== 0) {
      throw new Problem(
        `the password ${name} of stack ${stack} could not be kept: ${stderr.trim()}`,
      );
    }
  }
  return missingPasswords.map((name) => `password of ${name}`);
}
