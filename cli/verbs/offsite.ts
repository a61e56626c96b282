import { readFileSync } from "node:fs";
import { identityProblem } from "../../model/backup/age-identity";
import { call, type AgentAddress } from "../../engine/agent-client";
import { findAgent } from "../server/agent";
import { missingBackup } from "../server/catalogue";
import { Rejection } from "../base/problem";
import type { StackName } from "../project/stacks";
import { copiesText, fetchedText, uploadedText } from "../text/offsite";

interface OffsiteSelection {
  /** The server whose copies to use. @default the stack's own */
  readonly of?: string | undefined;
  readonly json?: boolean | undefined;
}

interface FetchSelection extends OffsiteSelection {
  /** File with the private key. */
  readonly identity: string | undefined;
  /** Digest of the manifest of a copy that is rejected otherwise. */
  readonly accept?: string | undefined;
}

/** `stagecraft backups offsite`: lists the off-site copies, from the remote itself. */
export async function runOffsiteList(
  folder: string,
  stack: StackName,
  { of = stack, json }: OffsiteSelection,
): Promise<void> {
  const agent = await findAgent(folder, stack);
  const list = await call(agent, "offsite", {
    request: { of },
  });
  console.log(json ? toJson(list) : copiesText(list, new Date()));
}

/** `stagecraft backups offsite --upload`: uploads missing copies now; whether all uploads succeeded. */
export async function runOffsiteUpload(
  folder: string,
  stack: StackName,
  { json }: OffsiteSelection,
): Promise<boolean> {
  const agent = await findAgent(folder, stack);
  const { copies } = await call(agent, "offsite-upload", {
    request: {},
  });
  console.log(json ? toJson({ copies }) : uploadedText(copies));
  return copies.every(({ copy }) => copy.result !== "failed");
}

/** `stagecraft backups offsite <id>`: fetches a backup from its off-site copy, with the private key in a file. */
export async function runOffsiteFetch(
  folder: string,
  stack: StackName,
  id: string,
  { identity, of = stack, json, accept }: FetchSelection,
): Promise<void> {
  const key = readIdentity(identity, stack, id);
  const agent = await findAgent(folder, stack);
  const fetched = await fetchOffsiteCopy(agent, stack, { id, of, identity: key, accept });
  console.log(json ? toJson(fetched) : fetchedText(fetched, stack));
}

/** Fetches a backup from its off-site copy into the server's repository. */
export async function fetchOffsiteCopy(
  agent: AgentAddress,
  stack: StackName,
  request: {
    readonly id: string;
    readonly of: string;
    readonly identity: string;
    readonly accept?: string | undefined;
  },
) {
  await requireCopy(agent, stack, request.of, request.id);
  return call(agent, "offsite-fetch", { request });
}

/** Raises a {@link Rejection} unless the remote has a copy of the backup. */
async function requireCopy(
  agent: AgentAddress,
  stack: StackName,
  of: string,
  id: string,
): Promise<void> {
  const { copies } = await call(agent, "offsite", {
    request: { of },
  });
  const ids = copies.map((copy) => copy.id);
  if (ids.includes(id)) return;
  throw new Rejection(missingBackup(id, ids), `npx stagecraft backups offsite ${stack}`);
}

/** The private key in a file. Raises a {@link Rejection} when there is none. */
export function readIdentity(file: string | undefined, stack: string, id: string): string {
  if (file === undefined) {
    throw new Rejection(
      "an off-site copy can only be decrypted with its private key",
      `npx stagecraft backups offsite ${stack} ${id} --identity <file>`,
    );
  }
  const text = readKeyFile(file);
  const problem = identityProblem(text);
  if (problem !== undefined)
    throw new Rejection(`${file} ${problem}`, "see docs/backups-off-site.md");
  return text;
}

function readKeyFile(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    const { code = "unreadable" } = error as NodeJS.ErrnoException;
    throw new Rejection(
      `cannot read ${file} (${code})`,
      "use a file created by age-keygen, or an SSH key",
    );
  }
}

function toJson(value: unknown): string {
  return JSON.stringify(value, null, 2);
}
