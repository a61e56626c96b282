import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { join, relative, resolve } from "node:path";
import { Rejection } from "../base/problem";
import { projectName } from "../project/project";
import { readStackFile } from "../project/stack-file";
import { runPulumi } from "./run-pulumi";
import { UpdateFailed } from "./update";
import { updateProblems } from "./update-errors";
import type { StackName } from "../project/stacks";
import { fileBackendFolder } from "../project/file-backend";

/** Creates what a stack needs in the project folder and Git does not contain: passphrase, state, stack, passwords. Returns what it created. */
export async function ensureProjectFiles(folder: string, stack: StackName): Promise<string[]> {
  const created: string[] = [];
  if (await ensurePassphrase(folder, stack)) created.push("passphrase");
  if (await ensureStack(folder, stack)) created.push("stack");
  created.push(...(await ensurePasswords(folder, stack)));
  return created;
}

/** Path of the generated passphrase. */
export const passphrasePath = (folder: string): string => join(folder, ".stagecraft", "passphrase");

/** Whether the user provides the passphrase by the environment. */
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
  // A new passphrase would not decrypt them either.
  const encrypted = [
    ...((await hasSecrets(folder, stack)) ? [`Pulumi.${stack}.yaml`] : []),
    ...stateFileOf(folder, stack).filter((file) => existsSync(file)),
  ].map((file) => relative(folder, resolve(folder, file)));
  if (encrypted.length > 0) {
    throw new Rejection(
      `the passphrase that decrypts the secrets of stack ${stack} is missing (${encrypted.join(", ")})`,
      [
        "restore it as .stagecraft/passphrase, or set PULUMI_CONFIG_PASSPHRASE;",
        "if it is lost, start over without losing data: docs/troubleshooting.md, Lost passphrase",
      ],
    );
  }
  await writeFile(path, `${randomBytes(32).toString("base64url")}\n`, { mode: 0o600, flag: "wx" });
  return true;
}

/** Whether a stack file contains secrets, which need the passphrase. */
export async function hasSecrets(folder: string, stack: StackName): Promise<boolean> {
  const text = await readFile(join(folder, `Pulumi.${stack}.yaml`), "utf8").catch(() => "");
  return /^encryptionsalt:/m.test(text);
}

async function ensureStack(folder: string, stack: StackName): Promise<boolean> {
  if (stateFileOf(folder, stack).some((path) => existsSync(path))) return false;
  const args = ["stack", "init", stack, "--secrets-provider", "passphrase", "--no-select"];
  const { exitCode, stderr } = await runPulumi(folder, args);
  if (exitCode === 0) return true;
  if (stderr.includes("already exists")) return false;
  throw new UpdateFailed(updateProblems({ stack, errors: [], stderr }));
}

/** Possible paths of the stack's state in the file backend; empty with another backend. */
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
    if (exitCode !== 0) throw new UpdateFailed(updateProblems({ stack, errors: [], stderr }));
  }
  return missingPasswords.map((name) => `password of ${name}`);
}
