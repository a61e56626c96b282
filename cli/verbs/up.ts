import type { RestoreResult } from "../../model/restore/protocol";
import { requireEngine } from "../../engine/containers";
import { noEventsYet } from "../pulumi/engine-events";
import { sendStackState } from "../server/send-state";
import { UnhealthyResult } from "../base/problem";
import { readStackFile } from "../project/stack-file";
import { retryAfterUnlock, update } from "../pulumi/update";
import { inspectServers, type ServerState, type ServerStatus } from "../server/server-status";
import type { StackName } from "../project/stacks";
import type { StepList, StepResult, ReportProgress } from "../terminal/steps";
import { applicationRowsOfRefresh } from "../text/application";
import { changesText, updateLine } from "../pulumi/progress";
import { isRolledBack, restoreText } from "../text/restore-result";
import { alignColumns } from "../base/table";

/** Result of an update. */
export interface UpResult {
  readonly changed: boolean;
  /** The server after the update. */
  readonly server: ServerStatus | undefined;
  /** Report of the restore that the update did, if any. */
  readonly restored: RestoreResult | undefined;
}

/** Runs `pulumi up` and shows its progress and the result of a restore. */
export async function updateServer(
  folder: string,
  stack: StackName,
  steps: StepList,
): Promise<UpResult> {
  await requireEngine(readStackFile(folder, stack).host);
  let changed = false;
  let state = noEventsYet;
  const step = async (report: ReportProgress): Promise<StepResult> => {
    state = noEventsYet;
    const withBar = process.stdout.isTTY;
    const result = await update({
      folder,
      stack,
      verb: "up",
      onChange: (newState) => {
        state = newState;
        report(updateLine(state, withBar));
      },
    });
    const text = changesText(result.changes ?? {});
    changed = text !== "nothing to do";
    if (changed) await sendStackState(folder, stack);
    return { detail: text };
  };
  try {
    await retryAfterUnlock(folder, () => steps.run(`pulumi up -s ${stack}`, step));
    for (const note of new Set(state.notes)) steps.print(`     ${note}`);
  } finally {
    // A failed update has warnings, too: often they say why it failed.
    for (const text of new Set(state.warnings)) steps.warn(text);
  }
  const [server] = await inspectServers(folder, [stack]);
  const last = server?.observation?.lastRestore;
  const restored = last && isRestoredBy(last, state.restoreIds) ? last : undefined;
  if (restored) steps.print(restoreText(restored));
  return { changed, server, restored };
}

/** `stagecraft up`: updates a server; shows the application's state after a restore, too. */
export async function runUp(folder: string, stack: StackName, steps: StepList): Promise<UpResult> {
  const result = await updateServer(folder, stack, steps);
  const rows = result.restored ? applicationRowsOfRefresh(result.restored) : [];
  for (const line of alignColumns(rows, "     ")) steps.print(line);
  requireHealthy(result);
  return result;
}

/** Raises an {@link UnhealthyResult} if an update changed a server and left it, or its application, not healthy. */
export function requireHealthy({ changed, server, restored }: UpResult): void {
  if (!changed || !server) return;
  const { stack, state, faults } = server;
  const problems = [...faults, ...missingDatabaseFaults(restored), ...applicationFaults(server)];
  if (!unhealthyStates.has(state) && problems.length === 0) return;
  throw new UnhealthyResult(
    `${stack} was changed, but is not healthy: ${problems.join("; ") || state}`,
    `npx stagecraft status ${stack}`,
  );
}

const unhealthyStates: ReadonlySet<ServerState> = new Set(["unhealthy", "stopped", "incomplete"]);

/** The other databases of a backup that a recovery could not restore. */
function missingDatabaseFaults(restored: RestoreResult | undefined): string[] {
  const failed = restored?.others?.databases.filter(({ result }) => result === "failed") ?? [];
  return failed.map(({ database }) => `database ${database} was not restored`);
}

function applicationFaults({ application }: ServerStatus): string[] {
  if (!application) return [];
  const { name, state, health } = application;
  if (state !== "running") return [`the application's container ${name} is ${state}`];
  return health === "unhealthy" ? [`the application (${name}) is unhealthy`] : [];
}

/** Whether a restore is one of an update, by its id: the clocks of two machines differ. */
function isRestoredBy(restore: RestoreResult, ids: ReadonlySet<string>): boolean {
  const isDone = restore.result === "restored" || isRolledBack(restore);
  return isDone && ids.has(restore.restoreId);
}
