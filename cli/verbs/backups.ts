import { deletionProblems } from "../../model/backup/deletion-problems";
import { formatDuration, plural } from "../../model/base/units";
import { call } from "../../engine/agent-client";
import { findAgent } from "../server/agent";
import { readCatalogue, requireStoredBackup } from "../server/catalogue";
import { readPins } from "../project/pins";
import { Cancelled, Problem, Rejection } from "../base/problem";
import type { StackName } from "../project/stacks";
import { askYes, canAsk } from "../terminal/ask";
import { LiveLine } from "../terminal/live-line";
import { backupsText, pruneText } from "../text/backups";
import { paintFor } from "../base/paint";

interface JsonOption {
  /** Print JSON. */
  readonly json?: boolean;
}

/** `stagecraft backups <stack>`: shows all backups and failed attempts of a server. */
export async function runBackups(
  folder: string,
  stack: StackName,
  { json }: JsonOption,
): Promise<void> {
  const catalogue = await readCatalogue(folder, stack);
  console.log(json ? toJson(catalogue) : backupsText(catalogue, stack, paintFor(process.stdout)));
}

/** `stagecraft backups verify`: verifies a backup by a restore, the newest unverified one by default; whether it passed. */
export async function runBackupsVerify(
  folder: string,
  stack: StackName,
  id: string | undefined,
  { json, accept }: JsonOption & { readonly accept?: string },
): Promise<boolean> {
  if (id !== undefined) await requireStoredBackup(folder, stack, id);
  else if (accept !== undefined)
    throw new Rejection(
      "--accept needs the id of the backup that has this digest",
      `npx stagecraft backups verify ${stack} <id> --accept ${accept}`,
    );
  const agent = await findAgent(folder, stack);
  const line = new LiveLine(process.stderr);
  let text = "verify …";
  line.show(() => text);
  const result = await call(agent, "verify", {
    request: id === undefined ? {} : { backup: id, accept },
    onLine: (progress) => (text = progress),
  }).finally(() => {
    line.end();
  });
  const { backup, verification } = result;
  const hasPassed = verification?.result !== "failed";
  if (json) console.log(toJson(result));
  else if (backup === null || !verification)
    console.log("nothing to do: every backup has been verified");
  else if (!hasPassed) throw new Problem(verification.text);
  else {
    const duration = formatDuration(verification.seconds);
    console.log(`backup ${backup} passed   ${verification.text} · ${duration}`);
  }
  return hasPassed;
}

/** `stagecraft backups delete`: deletes backups permanently, after confirmation and unless they are still needed. */
export async function runBackupsDelete(
  folder: string,
  stack: StackName,
  ids: readonly string[],
  {
    json,
    yes,
    lastOf = [],
  }: JsonOption & { readonly yes?: boolean; readonly lastOf?: readonly string[] },
): Promise<void> {
  const { entries } = await readCatalogue(folder, stack);
  const problems = deletionProblems(ids, entries, lastOf);
  if (problems.length > 0) throw new Rejection(`nothing was deleted: ${problems.join("\n  ")}`);
  await confirm(stack, ids, yes ?? false);
  const result = await call(await findAgent(folder, stack), "backups-delete", {
    request: { pins: await readPins(folder, stack), backups: [...ids], lastOf: [...lastOf] },
  });
  console.log(json ? toJson(result) : `deleted ${result.removed.join(", ")} of ${stack}`);
}

/** `stagecraft backups forget`: deletes backups that no rule retains; with `dryRun`, only shows them. */
export async function runBackupsPrune(
  folder: string,
  stack: StackName,
  { json, dryRun }: JsonOption & { readonly dryRun?: boolean },
): Promise<void> {
  const result = await call(await findAgent(folder, stack), "backups-forget", {
    request: { pins: await readPins(folder, stack), dryRun: dryRun ?? false },
  });
  console.log(json ? toJson(result) : pruneText(result));
}

/** Raises a {@link Rejection} or {@link Cancelled} unless the user confirms. */
async function confirm(stack: StackName, ids: readonly string[], yes: boolean): Promise<void> {
  if (yes) return;
  if (!canAsk()) {
    throw new Rejection(
      "there is no terminal to confirm on; nothing has been deleted",
      `npx stagecraft backups delete ${stack} ${ids.join(" ")} --yes`,
    );
  }
  const selection = `${plural(ids.length, "backup")} of ${stack} (${ids.join(", ")})`;
  if (await askYes(`Delete ${selection} permanently?`)) return;
  console.log("Nothing has been deleted.");
  throw new Cancelled();
}

function toJson(value: unknown): string {
  return JSON.stringify(value, null, 2);
}
