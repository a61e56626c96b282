import type { RestoreResult } from "../../model/restore/protocol";
import { requireEngine } from "../server/docker";
import { noEventsYet } from "../pulumi/engine-events";
import { sendStackState } from "../server/send-state";
import { readStackFile } from "../project/stack-file";
import { retryAfterUnlock, update } from "../pulumi/update";
import { inspectServers, type ServerStatus } from "../server/server-status";
import type { StackName } from "../project/stacks";
import type { StepList, StepResult, ReportProgress } from "../terminal/steps";
import { applicationRowsOfRefresh } from "../text/application";
import { changesText, updateLine } from "../pulumi/progress";
import { restoreText } from "../text/restore-result";
import { alignColumns } from "../base/table";

/** What an update did. */
export interface UpResult {
  readonly changed: boolean;
  readonly server: ServerStatus | undefined;
  /** The report of the restore that it did, if any. */
  readonly restored: RestoreResult | undefined;
}

/** `stagecraft up`: runs `pulumi up`, shows what it does, and what became of a restore. */
export async function updateServer(
  folder: string,
  stack: StackName,
  steps: StepList,
): Promise<UpResult> {
  const started = Date.now();
  await requireEngine(readStackFile(folder, stack).host);
  let changed = false;
  let notes: readonly string[] = [];
  const step = async (tell: ReportProgress): Promise<StepResult> => {
    let state = noEventsYet;
    const withBar = process.stdout.isTTY;
    const result = await update({
      ...{ folder, stack, verb: "up" },
      onChange: (newState) => {
        state = newState;
        tell(updateLine(state, withBar));
      },
    });
    const text = changesText(result.changes ?? {});
    changed = text !== "nothing to do";
    if (changed) await sendStackState(folder, stack);
    notes = result.notes;
    return { detail: text };
  };
  await retryAfterUnlock(folder, () => steps.run(`pulumi up -s ${stack}`, step));
  for (const note of new Set(notes)) steps.print(`     ${note}`);
  const [server] = await inspectServers(folder, [stack]);
  const last = server?.observation?.lastRestore;
  const restored = last && isSince(last, started) ? last : undefined;
  if (restored) steps.print(restoreText(restored));
  return { changed, server, restored };
}

/** The same for a person who asked for nothing else: tells what became of the application, too. */
export async function runUp(folder: string, stack: StackName, steps: StepList): Promise<UpResult> {
  const result = await updateServer(folder, stack, steps);
  const rows = result.restored ? applicationRowsOfRefresh(result.restored) : [];
  for (const line of alignColumns(rows, "     ")) steps.print(line);
  return result;
}

function isSince(restore: RestoreResult, started: number): boolean {
  const isDone = restore.result === "restored" || restore.result === "brought back";
  return isDone && Date.parse(restore.startedAt) >= started - 1000;
}
