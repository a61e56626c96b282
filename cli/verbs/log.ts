import { askAgent, dockerOnTerminal, inspectContainers } from "../server/docker";
import { Problem } from "../base/problem";
import { readStackFile } from "../project/stack-file";
import type { StackName } from "../project/stacks";

/** `stagecraft log`: a log that the agent keeps, the newest unless one is named; with `list` their names. */
export async function runLog(
  folder: string,
  stack: StackName,
  name: string | undefined,
  options: { readonly list?: boolean },
): Promise<number> {
  const { host, names } = readStackFile(folder, stack);
  const { agent } = names;
  const [container] = await inspectContainers(host, [agent]);
  if (container?.state !== "running") {
    throw new Problem(
      `the agent of ${stack} is ${container ? container.state : "not there"}`,
      `npm start -- ${stack}`,
    );
  }
  if (options.list) {
    console.log(await askAgent(host, agent, "logs"));
    return 0;
  }
  const verb = ["stagecraft-agent", "log", ...(name === undefined ? [] : [name])];
  return dockerOnTerminal(host, ["exec", agent, ...verb]);
}
