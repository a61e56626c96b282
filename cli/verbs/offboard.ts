import { existsSync } from "node:fs";
import { join } from "node:path";
import { nearest } from "../../model/base/nearest";
import { Rejection, UnhealthyResult } from "../base/problem";
import { removeUser } from "../project/remove-user";
import { readStackFile, type StackFile } from "../project/stack-file";
import { stackNames, type StackName } from "../project/stacks";
import { inspectServers } from "../server/server-status";
import { StepList } from "../terminal/steps";
import { runUp } from "./up";

/**
 * `stagecraft offboard`: removes a user from all stack files, and updates the servers: they disable the login, revoke all
 * memberships and end the user's sessions.
 */
export async function runOffboard(folder: string, user: string): Promise<void> {
  const files = stackNames
    .filter((stack) => existsSync(join(folder, `Pulumi.${stack}.yaml`)))
    .map((stack) => ({ stack, file: readStackFile(folder, stack) }));
  const known = files.flatMap(({ file }) => Object.keys(file.settings.people ?? {}));
  const removed = files.filter(({ file }) => removeUser(file.path, user));
  if (removed.length === 0) {
    const similar = nearest(user, known);
    throw new Rejection(
      `no stack file has a user "${user}" in people`,
      similar === undefined ? undefined : `did you mean ${similar}?`,
    );
  }
  for (const { stack } of removed) console.log(`${user} was removed from Pulumi.${stack}.yaml`);
  for (const line of removed.flatMap(({ stack, file }) => mentions(stack, file, user)))
    console.log(line);
  const failed: string[] = [];
  for (const { stack } of removed) if (!(await update(folder, stack, user))) failed.push(stack);
  if (failed.length === 0) return;
  throw new UnhealthyResult(
    `${user} may still log in on: ${failed.join(", ")}`,
    failed.map((stack) => `npx stagecraft up ${stack}`).join("; "),
  );
}

/** Updates a server, and reports whether the user has no login there any more. */
async function update(folder: string, stack: StackName, user: string): Promise<boolean> {
  const [before] = await inspectServers(folder, [stack]);
  if (before?.state === "not there") {
    console.log(`${stack} does not exist, so there is no login to disable`);
    return true;
  }
  try {
    const { server } = await runUp(folder, stack, new StepList(process.stdout));
    const logins = server?.observation?.roles.logins;
    return logins !== undefined && !logins.includes(user);
  } catch (error) {
    console.log(error instanceof Error ? error.message : String(error));
    return false;
  }
}

/** Rules and user name maps that name the user; they let nobody in without a login, but are left over. */
function mentions(stack: StackName, { settings }: StackFile, user: string): string[] {
  const { firstRules = [], rules = [], maps = [] } = settings.pgHba ?? {};
  const name = new RegExp(`(?:^|[\\s,"])${user}(?:$|[\\s,"])`);
  return Object.entries({ firstRules, rules, maps }).flatMap(([key, lines]) =>
    lines.flatMap((line, index) =>
      name.test(line)
        ? [`Pulumi.${stack}.yaml still names ${user} in pgHba.${key}[${index}]: remove it`]
        : [],
    ),
  );
}
