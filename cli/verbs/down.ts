import { formatDuration } from "../../model/base/units";
import { existingVolumes, removeVolumes } from "../server/docker";
import { Problem, Cancelled } from "../base/problem";
import { readStackFile } from "../project/stack-file";
import { retryAfterUnlock, update } from "../pulumi/update";
import { inspectServers, type ServerStatus } from "../server/server-status";
import type { StackName } from "../project/stacks";
import { ask, askYes, canAsk } from "../terminal/ask";
import { LiveLine } from "../terminal/live-line";
import { downDone, downWarning, nothingToStop, type DownPlan } from "../text/down";
import { updateLine } from "../pulumi/progress";

/** What was said on the command line. */
export interface DownOptions {
  /** The volumes go as well. */
  readonly data?: boolean;
  /** Nobody is asked. */
  readonly yes?: boolean;
  /** The stack's name once more, instead of typing it: wanted for production with `--yes`. */
  readonly confirm?: string;
}

/** `stagecraft down`: stops a server; its volumes stay unless the data is to go. */
export async function runDown(
  folder: string,
  stack: StackName,
  options: DownOptions,
): Promise<void> {
  const plan = await makePlan(folder, stack, options.data ?? false);
  if (plan.server.state === "not there" && (!plan.withData || plan.volumes.length === 0)) {
    console.log(nothingToStop(plan));
    return;
  }
  console.log(downWarning(plan));
  await confirm(plan.server, options);
  const started = performance.now();
  await retryAfterUnlock(folder, () => destroy(folder, plan));
  if (plan.withData) await removeRest(folder, plan.server.stack);
  console.log(downDone(plan, formatDuration((performance.now() - started) / 1000)));
}

/** Production's volumes survive the destruction of the stack. */
async function removeRest(folder: string, stack: StackName): Promise<void> {
  const { host, volumes } = volumesOf(folder, stack);
  const left = await existingVolumes(host, volumes);
  if (left.length > 0) await removeVolumes(host, left);
}

function volumesOf(folder: string, stack: StackName): { host: string; volumes: string[] } {
  const { host, names } = readStackFile(folder, stack);
  const { dataVolume, runVolume, agentVolume, backupsVolume, archiveVolume } = names;
  return { host, volumes: [dataVolume, runVolume, agentVolume, backupsVolume, archiveVolume] };
}

async function makePlan(folder: string, stack: StackName, withData: boolean): Promise<DownPlan> {
  const { host, volumes: names } = volumesOf(folder, stack);
  const [[server], volumes] = await Promise.all([
    inspectServers(folder, [stack]),
    existingVolumes(host, names),
  ]);
  if (!server) throw new Error(`no status of ${stack}`);
  return { server, volumes, withData };
}

/** Raises a {@link Problem} or {@link Cancelled} unless somebody who may says yes. */
async function confirm({ stack, kind }: ServerStatus, options: DownOptions): Promise<void> {
  const production = kind === "production";
  if (options.confirm !== undefined && options.confirm !== stack) {
    throw new Problem(`--confirm names "${options.confirm}", but this is ${stack}`);
  }
  if (options.yes) {
    if (!production || options.confirm === stack) return;
    throw new Problem(
      "production is not stopped by --yes alone",
      `npx stagecraft down ${stack} --yes --confirm ${stack}`,
    );
  }
  if (!canAsk()) {
    const flags = production ? `--yes --confirm ${stack}` : "--yes";
    throw new Problem(
      "there is no terminal to ask on, and nothing has been changed",
      `npx stagecraft down ${stack} ${flags}${options.data ? " --data" : ""}`,
    );
  }
  const agreed = production
    ? (await ask(`To do it, type the stack's name (${stack}): `)) === stack
    : await askYes("Go on?");
  if (agreed) return;
  console.log("Nothing has been changed.");
  throw new Cancelled();
}

/** The volumes stay known to the stack, so that the next `up` takes them as they are. */
const everyVolume = "**docker:index/volume:Volume::*";

async function destroy(folder: string, { server, withData }: DownPlan): Promise<void> {
  const { stack } = server;
  const line = new LiveLine(process.stdout);
  let text = "stopping";
  line.show(() => text);
  try {
    await update({
      ...{ folder, stack, verb: "destroy" },
      options: withData ? ["--ignore-protect"] : ["--exclude", everyVolume],
      onChange: (state) => {
        text = updateLine(state, process.stdout.isTTY);
      },
    });
  } finally {
    line.end();
  }
}
