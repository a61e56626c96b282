import { formatDuration } from "../../model/base/units";
import { existingVolumes, removeVolumes } from "../../engine/containers";
import { Cancelled, Rejection } from "../base/problem";
import { readStackFile } from "../project/stack-file";
import { retryAfterUnlock, update } from "../pulumi/update";
import { inspectServers, volumesOfServer, type ServerStatus } from "../server/server-status";
import type { StackName } from "../project/stacks";
import { ask, askYes, canAsk } from "../terminal/ask";
import { LiveLine } from "../terminal/live-line";
import { downDone, downWarning, nothingToStop, type DownPlan } from "../text/down";
import { updateLine } from "../pulumi/progress";

/** Options of `stagecraft down`. */
export interface DownOptions {
  /** Delete the volumes, too. */
  readonly data?: boolean;
  /** Do not ask. */
  readonly yes?: boolean;
  /** The stack's name again; required for production with `--yes`. */
  readonly confirm?: string;
}

/** `stagecraft down`: stops a server; its volumes stay unless `data` is set. */
export async function runDown(
  folder: string,
  stack: StackName,
  options: DownOptions,
): Promise<void> {
  const plan = await planDown(folder, stack, options.data ?? false);
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

/** Removes the volumes that are left: those of production are protected and survive `pulumi destroy`. */
async function removeRest(folder: string, stack: StackName): Promise<void> {
  const { host, volumes } = volumesOf(folder, stack);
  const left = await existingVolumes(host, volumes);
  if (left.length > 0) await removeVolumes(host, left);
}

function volumesOf(folder: string, stack: StackName): { host: string; volumes: string[] } {
  const { host, names } = readStackFile(folder, stack);
  return { host, volumes: volumesOfServer(names) };
}

async function planDown(folder: string, stack: StackName, withData: boolean): Promise<DownPlan> {
  const { host, volumes: names } = volumesOf(folder, stack);
  const [[server], volumes] = await Promise.all([
    inspectServers(folder, [stack]),
    existingVolumes(host, names),
  ]);
  if (!server) throw new Error(`no status of ${stack}`);
  return { server, volumes, withData };
}

/** Raises a {@link Rejection} or {@link Cancelled} unless the user confirms. */
async function confirm({ stack, kind }: ServerStatus, options: DownOptions): Promise<void> {
  const production = kind === "production";
  if (options.confirm !== undefined && options.confirm !== stack) {
    throw new Rejection(`--confirm must be the stack's name ${stack}, got "${options.confirm}"`);
  }
  if (options.yes) {
    if (!production || options.confirm === stack) return;
    throw new Rejection(
      "production needs --confirm in addition to --yes; nothing has been changed",
      `npx stagecraft down ${stack} --yes --confirm ${stack}`,
    );
  }
  if (!canAsk()) {
    const flags = production ? `--yes --confirm ${stack}` : "--yes";
    throw new Rejection(
      "there is no terminal to confirm on; nothing has been changed",
      `npx stagecraft down ${stack} ${flags}${options.data ? " --data" : ""}`,
    );
  }
  const agreed = production
    ? (await ask(`To confirm, type the stack's name (${stack}): `)) === stack
    : await askYes("Continue?");
  if (agreed) return;
  console.log("Nothing has been changed.");
  throw new Cancelled();
}

/** Excludes the volumes, so that they stay in the stack's state and the next `up` uses them. */
const everyVolume = "**docker:index/volume:Volume::*";

async function destroy(folder: string, { server, withData }: DownPlan): Promise<void> {
  const { stack } = server;
  const line = new LiveLine(process.stdout);
  let text = "stopping";
  line.show(() => text);
  try {
    await update({
      folder,
      stack,
      verb: "destroy",
      options: withData ? ["--ignore-protect"] : ["--exclude", everyVolume],
      onChange: (state) => {
        text = updateLine(state, process.stdout.isTTY);
      },
    });
  } finally {
    line.end();
  }
}
