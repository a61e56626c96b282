import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { chooseBackup } from "../../model/restore/available-backups";
import type { BackupId } from "../../model/base/names";
import type { RestoreResult } from "../../model/restore/protocol";
import type { StackFileConfig } from "../../model/stack-file/schema";
import { availableBackups } from "../server/available-backups";
import { UpdateFailed } from "../pulumi/update";
import { previewStack } from "../pulumi/preview";
import { Rejection } from "../base/problem";
import { readStackFile } from "../project/stack-file";
import { inspectServers } from "../server/server-status";
import { pinBackup, withBackup, type PinnedBackup } from "../project/pinned-backup";
import { rollbackTarget } from "../project/rollback-target";
import type { StackName } from "../project/stacks";
import { StepList } from "../terminal/steps";
import { previewJson, previewText, refreshedText, refreshJson } from "../text/refresh";
import { requireHealthy, updateServer, type UpResult } from "./up";

/** Options of `stagecraft refresh`. */
export interface RefreshOptions {
  /** An id, or `latest`. */
  readonly backup: string;
  /** The server whose backups to use from now on. @default as in the stack file */
  readonly from?: StackName;
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
  const from = options.from === undefined ? undefined : `server:${options.from}`;
  const data = from === undefined ? file.settings.data : { ...file.settings.data, from };
  const settings = data === undefined ? file.settings : { ...file.settings, data };
  const choice = chooseBackup(
    options.backup,
    await availableBackups(folder, stack, { ...file, settings }),
    data?.acceptUnverified,
    file.settings.database?.name,
  );
  if ("problem" in choice) throw new Rejection(choice.problem, choiceFix(data));
  const pinned = { backup: choice.backup, from };
  if (options.preview) {
    await preview(folder, stack, { path: file.path, pinned, json: options.json });
    return;
  }
  await refreshTo(folder, stack, pinned, options);
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

/** Writes a backup into the stack file, runs `pulumi up`, prints the result and saves the report. */
export async function refreshTo(
  folder: string,
  stack: StackName,
  target: PinnedBackup,
  { json = false }: Pick<RefreshOptions, "json">,
): Promise<void> {
  const { backup } = target;
  const pinned = pinBackup(readStackFile(folder, stack).path, target);
  const steps = new StepList(json ? process.stderr : process.stdout);
  let result: UpResult;
  try {
    result = await updateServer(folder, stack, steps);
  } catch (error) {
    const last = await lastAttempt(folder, stack, backup, error).catch(() => undefined);
    // Its verdict quotes values of the data, which must not reach the artifacts of CI.
    if (last) saveReport(folder, stack, { ...last, verdict: undefined });
    // The next update must neither refresh unintentionally nor undo a completed swap.
    if (last?.exchangedAt === undefined) pinned.undo();
    throw error;
  }
  const { restored } = result;
  const report = restored && saveReport(folder, stack, restored);
  const request = { stack, backup, report, noRollback: noRollback(folder, stack, result) };
  console.log(json ? refreshJson(restored, report) : refreshedText(restored, request));
  requireHealthy(result);
}

/** Why a rollback would be rejected now; `undefined` if it would not, or if that cannot be observed. */
function noRollback(
  folder: string,
  stack: StackName,
  { server }: UpResult,
): { readonly message: string; readonly fix: string } | undefined {
  if (!server?.observation) return undefined;
  const { settings } = readStackFile(folder, stack);
  const target = rollbackTarget(stack, settings, server.observation.databases);
  if (!(target instanceof Rejection)) return undefined;
  return { message: target.message, fix: String(target.fix) };
}

/** The report of a failed refresh: of its failed restore, or of the restore whose contents were swapped in before the failure. */
async function lastAttempt(
  folder: string,
  stack: StackName,
  backup: BackupId,
  error: unknown,
): Promise<RestoreResult | undefined> {
  const [server] = await inspectServers(folder, [stack]);
  const last = server?.observation?.lastRestore;
  if (last?.source.backup !== backup) return undefined;
  const asked = error instanceof UpdateFailed && error.restoreIds.has(last.restoreId);
  const isFailedNow = last.result === "failed" && asked;
  return isFailedNow || last.exchangedAt !== undefined ? last : undefined;
}

/** Raises a {@link Rejection} for production, whose contents are never replaced. */
export function rejectProduction(stack: StackName): void {
  if (stack !== "prod") return;
  throw new Rejection(
    "production's contents are never replaced, only recovered when they are missing",
    "npx stagecraft recover prod, if databases are missing; see docs/recover.md",
  );
}

async function preview(
  folder: string,
  stack: StackName,
  {
    path,
    pinned,
    json = false,
  }: { path: string; pinned: PinnedBackup; json?: boolean | undefined },
): Promise<void> {
  const previewFolder = join(folder, ".stagecraft", "preview");
  mkdirSync(previewFolder, { recursive: true });
  const copy = join(previewFolder, `Pulumi.${stack}.yaml`);
  writeFileSync(copy, withBackup(readFileSync(path, "utf8"), pinned.backup, pinned.from));
  const result = await previewStack(folder, stack, copy);
  console.log((json ? previewJson : previewText)(result, stack, pinned.backup));
}

/** Saves the report in `.stagecraft/reports`; returns its path relative to the project folder. */
function saveReport(folder: string, stack: StackName, result: RestoreResult): string {
  const time = result.startedAt.replace(/[-:]|\.\d+/g, "");
  const path = join(".stagecraft", "reports", `refresh-${stack}-${time}.json`);
  mkdirSync(join(folder, ".stagecraft", "reports"), { recursive: true });
  writeFileSync(join(folder, path), `${JSON.stringify(result, null, 2)}\n`);
  return path;
}
