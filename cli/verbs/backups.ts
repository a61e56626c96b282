import {
  catalogueSchema,
  deleteResultSchema,
  pruneResultSchema,
} from "../../model/backup/catalogue-protocol";
import { deletionProblems } from "../../model/backup/deletion-problems";
import { verifyResultSchema } from "../../model/backup/verification-protocol";
import { formatDuration, plural } from "../../model/base/units";
import { commandAgent, findAgent } from "../server/agent";
import { readPins } from "../project/pins";
import { Problem, Cancelled } from "../base/problem";
import type { StackName } from "../project/stacks";
import { askYes, canAsk } from "../terminal/ask";
import { LiveLine } from "../terminal/live-line";
import { backupsText, forgetText } from "../text/backups";
import { paintFor } from "../base/paint";

interface Json {
  readonly json?: boolean;
}

/** `stagecraft backups <stack>`: all backups and failed attempts of a server. */
export async function runBackups(folder: string, stack: StackName, { json }: Json): Promise<void> {
  const catalogue = await readCatalogue(folder, stack);
  console.log(json ? toJson(catalogue) : backupsText(catalogue, stack, paintFor(process.stdout)));
}

/** `stagecraft backups verify`: restores a backup into a copy and compares it; whether it is good. */
export async function runBackupsVerify(
  folder: string,
  stack: StackName,
  id: string | undefined,
  { json }: Json,
): Promise<boolean> {
  const place = await findAgent(folder, stack);
  const line = new LiveLine(process.stderr);
  let text = "verify …";
  line.show(() => text);
  const result = await commandAgent(place, {
    verb: "verify",
    request: id === undefined ? {} : { backup: id },
    answer: verifyResultSchema,
    onLine: (said) => (text = said),
  }).finally(() => {
    line.end();
  });
  const { backup, verification } = result;
  const isGood = verification?.result !== "failed";
  if (json) console.log(toJson(result));
  else if (backup === null || !verification) console.log("every backup has been judged already");
  else if (!isGood) throw new Problem(verification.text);
  else {
    const took = formatDuration(verification.seconds);
    console.log(`backup ${backup} is good   ${verification.text} · ${took}`);
  }
  return isGood;
}

/** `stagecraft backups delete`: removes backups for good, when somebody says yes and nobody needs them. */
export async function runBackupsDelete(
  folder: string,
  stack: StackName,
  ids: readonly string[],
  { json, yes }: Json & { readonly yes?: boolean },
): Promise<void> {
  const { entries } = await readCatalogue(folder, stack);
  const problems = deletionProblems(ids, entries);
  if (problems.length > 0) throw new Problem(`nothing was deleted: ${problems.join("\n  ")}`);
  await confirm(stack, ids, yes ?? false);
  const result = await commandAgent(await findAgent(folder, stack), {
    verb: "backups-delete",
    request: { pins: await readPins(folder, stack), backups: ids },
    answer: deleteResultSchema,
  });
  console.log(json ? toJson(result) : `deleted ${result.removed.join(", ")} of ${stack}`);
}

/** `stagecraft backups forget`: removes what no rule keeps; with `dryRun` it only says which that is. */
export async function runBackupsForget(
  folder: string,
  stack: StackName,
  { json, dryRun }: Json & { readonly dryRun?: boolean },
): Promise<void> {
  const result = await commandAgent(await findAgent(folder, stack), {
    verb: "backups-forget",
    request: { pins: await readPins(folder, stack), dryRun: dryRun ?? false },
    answer: pruneResultSchema,
  });
  console.log(json ? toJson(result) : forgetText(result));
}

async function readCatalogue(folder: string, stack: StackName) {
  return commandAgent(await findAgent(folder, stack), {
    verb: "backups",
    request: { pins: await readPins(folder, stack) },
    answer: catalogueSchema,
  });
}

/** Raises a {@link Problem} or {@link Cancelled} unless somebody who may says yes. */
async function confirm(stack: StackName, ids: readonly string[], yes: boolean): Promise<void> {
  if (yes) return;
  if (!canAsk()) {
    throw new Problem(
      "there is no terminal to ask on, and nothing has been deleted",
      `npx stagecraft backups delete ${stack} ${ids.join(" ")} --yes`,
    );
  }
  const what = `${plural(ids.length, "backup")} of ${stack} (${ids.join(", ")})`;
  if (await askYes(`Delete ${what} for good?`)) return;
  console.log("Nothing has been deleted.");
  throw new Cancelled();
}

function toJson(value: unknown): string {
  return JSON.stringify(value, null, 2);
}
