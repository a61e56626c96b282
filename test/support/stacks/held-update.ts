import { mkdirSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { pulumiEnvironment } from "../../../tools";
import { findOnPath } from "../../../tools/folders";
import { second } from "../time/limit.mjs";
import { until } from "../time/until";
import { areRunning, descendants, killAll } from "../programs/process";
import { restoreUntil, stepLine } from "./disturbed-restore";
import { untilPrinted, type Run, type TestProject } from "./project";

/** Stands before docker: what Pulumi asks the agent's `restore` for goes on as `HOLD` says, and all else as it is. */
const docker = `#!/bin/bash
docker=${findOnPath("docker") ?? "docker"}
[ "$1 $2 $4 $5" = "exec -i stagecraft-agent restore" ] || exec $docker "$@"
[ -n "$HOLD" ] && exec $docker exec -i "$3" bash -c "$HOLD" - "$HOLD_LINE" STOP
answer=$($docker "$@"); echo "${stepLine("done")}" >&2; sleep 7200`;

/**
 * Starts an update whose restore stops where it begins a step, or, with `"done"`, whose restore is done and whose Pulumi
 * never hears of it; {@link untilHeld} waits for that.
 */
export function startHeldUpdate(project: TestProject, stack: string, step: string): Run {
  const bin = join(project.folder, "held");
  mkdirSync(bin, { recursive: true });
  writeFileSync(join(bin, "docker"), docker, { mode: 0o755 });
  const PATH = [bin, pulumiEnvironment(project.folder)["PATH"]].join(delimiter);
  const HOLD = step === "done" ? "" : restoreUntil(step, "STOP")[2];
  const up = ["up", "--stack", stack, "--yes", "--skip-preview"];
  return project.start({ PATH, HOLD, HOLD_LINE: stepLine(step) }, ...up);
}

/** Waits until an update that {@link startHeldUpdate} started is there. */
export async function untilHeld(run: Run, step: string): Promise<void> {
  await untilPrinted(run, stepLine(step));
}

/** The program of a stack and what Pulumi runs it with. */
const program = /program\/(?:run|main)\.js|pulumi-language-nodejs/;

/**
 * Kills Pulumi with all that it started, as when its machine goes down; or alone, as one that is out of memory. Either way
 * its program must not run on.
 */
export async function killPulumi(
  run: Run,
  victims: "alone" | "with all it started",
): Promise<void> {
  const started = await descendants(run.pid ?? 0);
  run.kill("SIGKILL");
  if (victims !== "alone") killAll(started);
  await run;
  await until(
    "the killed Pulumi's program ends",
    async () => !(await areRunning(started, program)),
    {
      within: 20 * second,
    },
  );
}
