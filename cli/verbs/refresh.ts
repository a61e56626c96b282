import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { chooseBackup } from "../../model/restore/available-backups";
import type { BackupId } from "../../model/base/names";
import type { RestoreResult } from "../../model/restore/protocol";
import type { StackFileConfig } from "../../model/stack-file/schema";
import { availableBackups } from "../server/available-backups";
import { previewStack } from "../pulumi/preview";
import { Rejection } from "../base/problem";
import { readStackFile } from "../project/stack-file";
import { inspectServers } from "../server/server-status";
import { pinBackup, withBackup } from "../project/pinned-backup";
import type { StackName } from "../project/stacks";
import { StepList } from "../terminal/steps";
import { previewJson, previewText, refreshedText, refreshJson } from "../text/refresh";
import { requireHealthy, updateServer, type UpResult } from "./up";

/** Options of `stagecraft refresh`. */
export interface RefreshOptions {
  /** An id, or `latest`. */
  readonly backup: string;
  /** Only show what would change. */
  readonly preview?: boolean;
  readonly json?: boolean;
}

/** `stagecraft refresh`: writes a backup id into the stack file and runs `pulumi up`, which restores that backup. */
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
    file.settings.database?.name,
  );
  if ("problem" in choice) throw new Rejection(choice.problem, choiceFix(file.settings.data));
  const { backup } = choice;
  if (options.preview) {
    await preview(folder, stack, { path: file.path, backup, json: options.json });
    return;
  }
  await refreshTo(folder, stack, backup, options);
}

/** The fix if no available backup matches. */
function choiceFix({ from, acceptUnverified = false }: Partial<StackFileConfig["data"]> = {}):
  string | undefined {
  const server = /^server:(.+)$/.exec(from ?? "")?.[1];
  if (server !== undefined)
    return `npx stagecraft backups ${server}; to fetch one that is off-site only: npx stagecraft backups offsite ${server} <id> --identity <file>`;
  if (from !== "offsite" || acceptUnverified) return undefined;
  return "off-site copies do not record whether they were verified; to accept unverified ones, set data.acceptUnverified: true";
}

/** Writes a backup id into the stack file, runs `pulumi up`, prints the result and saves the report. */
export async function refreshTo(
  folder: string,
  stack: StackName,
  backup: BackupId,
  { json = false }: Pick<RefreshOptions, "json">,
): Promise<void> {
  const pinned = pinBackup(readStackFile(folder, stack).path, backup);
  const steps = new StepList(json ? process.stderr : process.stdout);
  const started = Date.now();
  let result: UpResult;
  try {
    result = await updateServer(folder, stack, steps);
  } catch (error) {
    const last = await lastAttempt(folder, stack, backup, started).catch(() => undefined);
    // Its verdict quotes values of the data, which must not reach the artifacts of CI.
    if (last) saveReport(folder, stack, { ...last, verdict: undefined });
    // The next update must neither refresh unintentionally nor undo a completed swap.
    if (last?.exchangedAt === undefined) pinned.undo();
    throw error;
  }
  const { restored } = result;
  const report = restored && saveReport(folder, stack, restored);
  console.log(
    json ? refreshJson(restored, report) : refreshedText(restored, { stack, backup, report }),
  );
  requireHealthy(result);
}

/** The report of a failed refresh: of its failed restore, or of the restore whose contents were swapped in before the failure. */
async function lastAttempt(
  folder: string,
  stack: StackName,
  backup: BackupId,
  started: number,
): Promise<RestoreResult | undefined> {
  const [server] = await inspectServers(folder, [stack]);
  const last = server?.observation?.lastRestore;
  if (last?.source.backup !== backup) return undefined;
  const isFailedNow = last.result === "failed" && Date.parse(last.startedAt) >= started - 1000;
  return isFailedNow || last.exchangedAt !== undefined ? last : undefined;
}

/** Raises a {@link Rejection} for production, whose contents are never replaced. */
export function rejectProduction(stack: StackName): void {
  if (stack !== "prod") return;
  throw new Rejection(
    "production's contents are never replaced, only recovered when they are missing",
    "see docs/restore-a-dump.md",
  );
}

async function preview(
  folder: string,
  stack: StackName,
  { path, backup, json = false }: { path: string; backup: string; json?: boolean | undefined },
): Promise<void> {
  const previewFolder = join(folder, ".stagecraft", "preview");
  mkdirSync(previewFolder, { recursive: true });
  const copy = join(previewFolder, `Pulumi.${stack}.yaml`);
  writeFileSync(copy, withBackup(readFileSync(path, "utf8"), backup));
  const result = await previewStack(folder, stack, copy);
  console.log((json ? previewJson : previewText)(result, stack, backup));
}

/** Saves the report in `.stagecraft/reports`; returns its path relative to the project folder. */
function saveReport(folder: string, stack: StackName, result: RestoreResult): string {
  const time = result.startedAt.replace(/[-:]|\.\d+/g, "");
  const path = join(".stagecraft", "reports", `refresh-${stack}-${time}.json`);
  mkdirSync(join(folder, ".stagecraft", "reports"), { recursive: true });
  writeFileSync(join(folder, path), `${JSON.stringify(result, null, 2)}\n`);
  return path;
}
