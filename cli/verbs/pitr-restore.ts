import { recoveryInstanceSchema } from "../../model/point-in-time/protocol";
import { parseTarget, targetText } from "../../model/point-in-time/recovery-target";
import { commandAgent, findAgent, showProgress } from "../server/agent";
import { Problem } from "../base/problem";
import type { StackName } from "../project/stacks";
import { recoveryInstanceText } from "../text/recovery-instance";

/** `stagecraft restore --to`: the server as it was at a moment, beside it; the server itself is not touched. */
export async function runPitrRestore(
  folder: string,
  stack: StackName,
  options: { readonly to: string; readonly for: string; readonly json?: boolean },
): Promise<void> {
  const target = parseTarget(options.to);
  if ("problem" in target) throw new Problem(`--to must ${target.problem}`);
  const hours = readHours(options.for);
  const request = { to: targetText(target), hours };
  const side = await commandAgent(await findAgent(folder, stack), {
    ...{ verb: "side-restore", request, answer: recoveryInstanceSchema, onLine: showProgress() },
  });
  console.log(options.json ? JSON.stringify(side) : recoveryInstanceText(stack, side, new Date()));
}

/** `24 h` or `3 d` in hours. */
function readHours(text: string): number {
  const [, count, unit] = /^(\d+)\s*(h|d)$/.exec(text.trim()) ?? [];
  const hours = Number(count) * (unit === "d" ? 24 : 1);
  if (hours >= 1 && hours <= 24 * 14) return hours;
  throw new Problem(`--for must be a time like "24 h" or "3 d", up to 14 d, got "${text}"`);
}
