import type { RestoreResult } from "../../model/protocol";
import { inspectContainers } from "../docker";
import { noEventsYet } from "../engine-events";
import { readStackFile } from "../project";
import { update } from "../pulumi";
import { lookAtServers, type ServerStatus } from "../server-status";
import type { StackName } from "../stacks";
import { StepList } from "../terminal/steps";
import { changesText, updateLine } from "../text/progress";
import { restoreText } from "../text/restore";

/** What an update did. */
export interface UpResult {
  readonly changed: boolean;
  readonly server: ServerStatus | undefined;
}

/** `stagecraft up`: runs `pulumi up`, shows what it does, and what became of a restore. */
export async function up(folder: string, stack: StackName, steps: StepList): Promise<UpResult> {
  const started = Date.now();
  const options = (await containersAreUp(folder, stack)) ? [] : ["--refresh"];
  let changed = false;
  await steps.run(`pulumi up -s ${stack}`, async (tell) => {
    let state = noEventsYet;
    const withBar = process.stdout.isTTY;
    const result = await update({
      ...{ folder, stack, verb: "up", options },
      onChange: (newState) => {
        state = newState;
        tell(updateLine(state, withBar));
      },
    });
    const text = changesText(result.changes ?? {});
    changed = text !== "nothing to do";
    return { detail: text };
  });
  const [server] = await lookAtServers(folder, [stack]);
  const restore = server?.observation?.lastRestore;
  if (restore && isSince(restore, started)) steps.print(restoreText(restore));
  return { changed, server };
}

/** A container that was removed or stopped by hand is only seen when Pulumi looks at everything again. */
async function containersAreUp(folder: string, stack: StackName): Promise<boolean> {
  const { postgres, agent } = readStackFile(folder, stack).names;
  const containers = await inspectContainers([postgres, agent]);
  return containers.length === 2 && containers.every(({ state }) => state === "running");
}

function isSince(restore: RestoreResult, started: number): boolean {
  return restore.result === "restored" && Date.parse(restore.startedAt) >= started - 1000;
}
