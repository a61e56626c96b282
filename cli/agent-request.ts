import { execa } from "execa";
import { engineOfHost } from "../tools/engine-of-host";
import { engineProblem, inspectContainers } from "./docker";
import { Problem } from "./problem";
import { readStackFile } from "./project";
import type { StackName } from "./stacks";

/** What the agent of a server answered. */
export interface AgentAnswer {
  readonly status: number;
  /** One line of JSON; empty where it refused. */
  readonly stdout: string;
  /** Its last words on stderr, why it refused. */
  readonly refusal: string;
}

/** Where the agent of a server is; raises a {@link Problem} when it does not run. */
export async function findAgent(
  folder: string,
  stack: StackName,
): Promise<{ readonly host: string; readonly agent: string }> {
  const { host, names } = readStackFile(folder, stack);
  const [container] = await inspectContainers(host, [names.agent]);
  if (container?.state !== "running") {
    throw new Problem(
      `the agent of ${stack} is ${container ? container.state : "not there"}`,
      `npm start -- ${stack}`,
    );
  }
  return { host, agent: names.agent };
}

/** Asks the agent of a server by a verb, with a request on its stdin, and tells its progress on stderr. */
export async function requestAgent(
  folder: string,
  stack: StackName,
  verb: string,
  request: object,
): Promise<AgentAnswer> {
  const { host, agent } = await findAgent(folder, stack);
  const engine = await engineOfHost(host);
  if (!("environment" in engine)) throw new Problem(engine.stderr);
  const asking = execa("docker", ["exec", "-i", agent, "stagecraft-agent", verb], {
    input: JSON.stringify({ server: stack, ...request }),
    env: engine.environment,
    reject: false,
  });
  const progress = process.stderr.isTTY;
  const said: string[] = [];
  for await (const line of asking.iterable({ from: "stderr" })) {
    // The one before, because the last one may be the refusal.
    const before = said.at(-1);
    if (progress && before !== undefined) process.stderr.write(`  ${before}\n`);
    said.push(line);
  }
  const { exitCode, stdout, stderr } = await asking;
  const problem = engineProblem(host, stderr);
  if (problem) throw problem;
  return { status: exitCode ?? 255, stdout, refusal: said.at(-1) ?? "" };
}

/** The same, for an answer that there must be; raises a {@link Problem} with the agent's words where it refuses. */
export async function answerOfAgent(
  ...[folder, stack, verb, request]: Parameters<typeof requestAgent>
): Promise<unknown> {
  const { status, stdout, refusal } = await requestAgent(folder, stack, verb, request);
  if (status === 0) return JSON.parse(stdout);
  throw new Problem(refusal === "" ? `the agent of ${stack} ended with status ${status}` : refusal);
}
