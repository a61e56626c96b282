import { inspectServers } from "../server/server-status";
import type { StackName } from "../project/stacks";
import { paintFor } from "../base/paint";
import { statusJson, statusText } from "../text/status";

/** `stagecraft status`: shows the state of servers, from the engine, their agents and Pulumi's history. */
export async function runStatus(
  folder: string,
  stacks: readonly StackName[],
  options: { readonly json?: boolean },
): Promise<void> {
  const servers = await inspectServers(folder, stacks);
  console.log(
    options.json ? statusJson(servers) : statusText(servers, new Date(), paintFor(process.stdout)),
  );
}
