import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { chooseBackup } from "../../model/restore/available-backups";
import type { BackupId } from "../../model/base/names";
import type { RestoreResult } from "../../model/restore/protocol";
import type { StackConfig } from "../../model/stack-file/schema";
import { availableBackups } from "../server/available-backups";
import { previewStack } from "../pulumi/preview";
import { Problem } from "../base/problem";
import { readStackFile } from "../project/stack-file";
import { inspectServers } from "../server/server-status";
import { pinBackup, withBackup } from "../project/pinned-backup";
import type { StackName } from "../project/stacks";
import { StepList } from "../terminal/steps";
import { previewJson, previewText, refreshedText, refreshJson } from "../text/refresh";
import { updateServer } from "./up";

/** What was said on the command line. */
export interface RefreshOptions {
  /** An id, or `latest`. */
  readonly backup: string;
  /** Only tell what would happen. */
  readonly preview?: boolean;
  readonly json?: boolean;
}

/** `stagecraft refresh`: names a backup in the stack file and runs `pulumi up`, which brings its contents. */
export async function runRefresh(
  folder: string,
  stack: StackName,
  options: RefreshOptions,
): Promise<void> {
  rejectProduction(stack);
  const file = readStackFile(folder, stack);
  const choice = chooseBackup(
    options.backup,
    await availableBackups(folder, stack, file),
    file.settings.data?.acceptUnverified,
  );
  if ("problem" in choice) throw new Problem(choice.problem, choiceFix(file.settings.data));
  const { backup } = choice;
  if (options.preview) {
    await preview(folder, stack, { path: file.path, backup, json: options.json });
    return;
  }
  await refreshTo(folder, stack, backup, options);
}

/** What to do when none of the backups at hand can be taken. */
function choiceFix({ from, acceptUnverified = false }: Partial<StackConfig["data"]> = {}):
  string | undefined {
  const server = /^server:(.+)$/.exec(from ?? "")?.[1];
  if (server !== undefined)
    return `npx stagecraft backups ${server}; one that is off-site alone comes back by: npx stagecraft backups offsite ${server} <id> --identity <file>`;
  if (from !== "offsite" || acceptUnverified) return undefined;
  return "an off-site copy does not tell whether a restore has proven it; to take it all the same, set data.acceptUnverified: true";
}

/** Names a backup in the stack file, runs `pulumi up`, and tells what came of it. */
export async function refreshTo(
  folder: string,
  stack: StackName,
  backup: BackupId,
  { json = false }: Pick<RefreshOptions, "json">,
): Promise<void> {
  const pinned = pinBackup(readStackFile(folder, stack).path, backup);
  const steps = new StepList(json ? process.stderr : process.stdout);
  const begun = Date.now();
  try {
    const { restored } = await updateServer(folder, stack, steps);
    const report = restored && saveReport(folder, stack, restored);
    console.log(
      json ? refreshJson(restored, report) : refreshedText(restored, { stack, backup, report }),
    );
  } catch (error) {
    const last = await lastAttempt(folder, stack, backup, begun).catch(() => undefined);
    // Its verdict holds messages with values of the data, which are not for everybody who reads CI's artifacts.
    if (last) saveReport(folder, stack, { ...last, verdict: undefined });
    // A later update for another reason must not refresh by accident; nor may it go back to what has been replaced.
    if (last?.exchangedAt === undefined) pinned.putBack();
    throw error;
  }
}

/** The report of the refresh to a backup that went wrong: of its restore, or of contents that were exchanged before. */
async function lastAttempt(
  folder: string,
  stack: StackName,
  backup: BackupId,
  begun: number,
): Promise<RestoreResult | undefined> {
  const [server] = await inspectServers(folder, [stack]);
  const last = server?.observation?.lastRestore;
  if (last?.source.backup !== backup) return undefined;
  const isOfNow = last.result === "failed" && Date.parse(last.startedAt) >= begun - 1000;
  return isOfNow || last.exchangedAt !== undefined ? last : undefined;
}

/** Raises a {@link Problem} for production, whose contents are never replaced. */
export function rejectProduction(stack: StackName): void {
  if (stack !== "prod") return;
  throw new Problem(
    "production's contents are never replaced, only recovered when they are missing",
    "docs/restore-a-dump.md tells how",
  );
}

async function preview(
  folder: string,
  stack: StackName,
  { path, backup, json = false }: { path: string; backup: string; json?: boolean | undefined },
): Promise<void> {
  const place = join(folder, ".stagecraft", "preview");
  mkdirSync(place, { recursive: true });
  const copy = join(place, `Pulumi.${stack}.yaml`);
  writeFileSync(copy, withBackup(readFileSync(path, "utf8"), backup));
  const found = await previewStack(folder, stack, copy);
  console.log((json ? previewJson : previewText)(found, stack, backup));
}

/** Keeps the report where CI finds it; its path from the project folder. */
function saveReport(folder: string, stack: StackName, result: RestoreResult): string {
  const moment = result.startedAt.replace(/[-:]|\.\d+/g, "");
  const path = join(".stagecraft", "reports", `refresh-${stack}-${moment}.json`);
  mkdirSync(join(folder, ".stagecraft", "reports"), { recursive: true });
  writeFileSync(join(folder, path), `${JSON.stringify(result, null, 2)}\n`);
  return path;
}
