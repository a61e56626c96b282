import type { AgentAddress } from "../../engine/agent-client";
import { inspectContainers } from "../../engine/containers";
import { Problem } from "../base/problem";
import { readStackFile } from "../project/stack-file";
import type { StackName } from "../project/stacks";

/** The agent of a stack. Raises a {@link Problem} when its container is not running. */
export async function findAgent(folder: string, stack: StackName): Promise<AgentAddress> {
  const { host, names } = readStackFile(folder, stack);
  const [container] = await inspectContainers(host, [names.agent]);
  if (container?.state === "running") return { server: stack, host, agent: names.agent };
  throw new Problem(
    `the agent of ${stack} is not running${container ? ` (its container is ${container.state})` : ""}`,
    `npm start -- ${stack}`,
  );
}

/** Shows progress on a terminal: each line when the next one arrives, because the last may be an error that is printed anyway. */
export function showProgress(): (line: string) => void {
  let before: string | undefined;
  return (line) => {
    if (process.stderr.isTTY && before !== undefined) process.stderr.write(`  ${before}\n`);
    before = line;
  };
}
