import { callOnTerminal } from "../../engine/agent-client";
import { inspectContainers } from "../../engine/containers";
import { Problem, Rejection } from "../base/problem";
import { readStackFile } from "../project/stack-file";
import type { StackName } from "../project/stacks";

/**
 * `stagecraft psql`: psql with the rights of the database's owner, in the agent's container. The agent creates a login for it,
 * so that no code in the database gets the superuser's rights. Returns psql's exit status.
 */
export async function runPsql(
  folder: string,
  stack: StackName,
  args: readonly string[],
): Promise<number> {
  const { names, host, settings } = readStackFile(folder, stack);
  const database = settings.database?.name;
  const [container] = await inspectContainers(host, [names.postgres]);
  if (container?.state !== "running") {
    throw new Problem(
      `${stack} is not running${container ? ` (its container is ${container.state})` : ""}`,
      `npm start -- ${stack}`,
    );
  }
  if (database === undefined)
    throw new Rejection(`Pulumi.${stack}.yaml has no database.name`, "npx stagecraft doctor");
  return callOnTerminal({ host, agent: names.agent }, "psql", {
    // A leading -- separates psql's arguments from ours; psql would read what follows it as names.
    args: { database, words: args[0] === "--" ? args.slice(1) : args },
    interactive: true,
    tty: process.stdin.isTTY && process.stdout.isTTY,
  });
}
