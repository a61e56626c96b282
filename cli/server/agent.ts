import type { z } from "zod";
import { inspectContainers, workOfAgent } from "./docker";
import { Problem } from "../base/problem";
import { readStackFile } from "../project/stack-file";
import type { StackName } from "../project/stacks";

/** Where the agent of a server is. */
export interface AgentPlace {
  readonly stack: StackName;
  readonly host: string;
  readonly agent: string;
}

/** The agent of a stack; raises a {@link Problem} when its container does not run. */
export async function findAgent(folder: string, stack: StackName): Promise<AgentPlace> {
  const { host, names } = readStackFile(folder, stack);
  const [container] = await inspectContainers(host, [names.agent]);
  if (container?.state === "running") return { stack, host, agent: names.agent };
  throw new Problem(
    `the agent of ${stack} is ${container ? container.state : "not there"}`,
    `npm start -- ${stack}`,
  );
}

/** What is asked of an agent. */
export interface Order<T extends z.ZodType> {
  readonly verb: string;
  /** Goes as JSON to its stdin, with the server's name. */
  readonly request: object;
  /** What it answers. */
  readonly answer: T;
  /** Hears the lines for people that it writes meanwhile. */
  readonly onLine?: (line: string) => void;
}

/**
 * Has an agent do something. Raises a {@link Problem} with what it said when it gives no answer; one that answers and
 * ends with a failure has its answer given back.
 */
export async function commandAgent<T extends z.ZodType>(
  { stack, host, agent }: AgentPlace,
  { verb, request, answer, onLine = () => undefined }: Order<T>,
): Promise<z.output<T>> {
  const input = JSON.stringify({ server: stack, ...request });
  const said: string[] = [];
  const { exitCode, stdout } = await workOfAgent(host, agent, [verb], input, (line) => {
    said.push(line);
    onLine(line);
  });
  if (stdout !== "") return answer.parse(JSON.parse(stdout));
  throw new Problem(said.at(-1) ?? `the agent of ${stack} ended with ${exitCode}`);
}

/** Shows progress on a terminal, each line when the next one comes: the last may be the refusal, which is told elsewhere. */
export function showProgress(): (line: string) => void {
  let before: string | undefined;
  return (line) => {
    if (process.stderr.isTTY && before !== undefined) process.stderr.write(`  ${before}\n`);
    before = line;
  };
}
