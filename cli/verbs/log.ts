import { askAgent, dockerOnTerminal, inspectContainers } from "../docker";
import { Problem } from "../problem";
import { readStackFile } from "../project";
import type { StackName } from "../stacks";

/** `stagecraft log`: a log that the agent keeps, the newest unless one is named; with `list` their names. */
export async function log(
  folder: string,
  stack: StackName,
  name: string | undefined,
  options: { readonly list?: boolean },
): Promise<number> {
  const { agent } = readStackFile(folder, stack).names;
  const [container] = await inspectContainers([agent]);
  if (container?.state !== "running") {
    throw new Problem(
      `the agent of ${stack} is ${container ? container.state : "not there"}`,
      `npm start -- ${stack}`,
    );
  }
  if (options.list) {
    console.log(await askAgent(agent, "logs"));
    return 0;
  }
  const verb = ["stagecraft-agent", "log", ...(name === undefined ? [] : [name])];
  return dockerOnTerminal(["exec", agent, ...verb]);
}
