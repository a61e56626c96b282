import { call, callOnTerminal } from "../../engine/agent-client";
import { findAgent } from "../server/agent";
import type { StackName } from "../project/stacks";

/** `stagecraft log`: prints a log of the agent, the newest by default; with `list`, the names of all logs. Returns the exit status. */
export async function runLog(
  folder: string,
  stack: StackName,
  name: string | undefined,
  options: { readonly list?: boolean },
): Promise<number> {
  const agent = await findAgent(folder, stack);
  if (options.list) {
    console.log(JSON.stringify(await call(agent, "logs", {})));
    return 0;
  }
  return callOnTerminal(agent, "log", { args: { name } });
}
