import { parseTarget, targetText } from "../../model/point-in-time/recovery-target";
import { call } from "../../engine/agent-client";
import { findAgent, showProgress } from "../server/agent";
import { Rejection } from "../base/problem";
import type { StackName } from "../project/stacks";
import { recoveryInstanceText } from "../text/recovery-instance";

/** `stagecraft pitr <stack> --to`: restores the server to a point in time as a recovery instance; the server itself is not changed. */
export async function runPitrRestore(
  folder: string,
  stack: StackName,
  options: { readonly to: string; readonly for: string; readonly json?: boolean },
): Promise<void> {
  const target = parseTarget(options.to);
  if ("problem" in target) throw new Rejection(`--to must ${target.problem}`);
  const hours = readHours(options.for);
  const request = { to: targetText(target), hours };
  const instance = await call(await findAgent(folder, stack), "side-restore", {
    request,
    onLine: showProgress(),
  });
  console.log(
    options.json ? JSON.stringify(instance) : recoveryInstanceText(stack, instance, new Date()),
  );
}

/** Hours of `24 h` or `3 d`. */
function readHours(text: string): number {
  const [, count, unit] = /^(\d+)\s*(h|d)$/.exec(text.trim()) ?? [];
  const hours = Number(count) * (unit === "d" ? 24 : 1);
  if (hours >= 1 && hours <= 24 * 14) return hours;
  throw new Rejection(`--for must be a duration like "24 h" or "3 d", at most 14 d, got "${text}"`);
}
