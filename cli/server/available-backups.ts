import type { z } from "zod";
import { engineNames } from "../../model/base/engine-names";
import { parseOrigin } from "../../model/stack-file/data-origin";
import type { AvailableBackups } from "../../model/restore/available-backups";
import type { offsiteSourceSchema } from "../../model/restore/offsite-source";
import { call } from "../../engine/agent-client";
import { Rejection } from "../base/problem";
import { UpdateFailed } from "../pulumi/update";
import { runPulumi } from "../pulumi/run-pulumi";
import type { StackFile } from "../project/stack-file";
import type { StackName } from "../project/stacks";
import { updateProblems } from "../pulumi/update-errors";

/** The backups that a stack can be refreshed from, by its `data.from`. Raises a {@link Rejection} if that names none. */
export async function availableBackups(
  folder: string,
  stack: StackName,
  { settings, host, names }: StackFile,
): Promise<AvailableBackups> {
  const { data, namePrefix = "" } = settings;
  const from = data?.from;
  if (from === undefined) {
    throw new Rejection(
      `stagecraft:data in Pulumi.${stack}.yaml has no from: there are no backups to refresh from`,
      `npx stagecraft refresh ${stack} --from prod   (writes it into the stack file)`,
    );
  }
  const origin = parseOrigin(from, namePrefix);
  if (!("problem" in origin) && origin.kind === "offsite") {
    return availableOffsiteCopies(folder, stack, host, names.agent);
  }
  if ("problem" in origin || origin.kind === "folder") {
    throw new Rejection(
      `data.from of ${stack} must be server:<stack>, volume:<name> or offsite for a refresh, got "${from}"`,
      "set it to server:prod, or change data.backup and run: pulumi up",
    );
  }
  // The server's own agent has verified its backups; a volume of another project is only mounted in this stack's agent.
  const server = /^server:(.+)$/.exec(from)?.[1];
  const [agent, repository] =
    server === undefined ? [names.agent, "source"] : [engineNames(namePrefix, server).agent, "own"];
  return call({ host, agent }, "backups-at-hand", { args: { repository } });
}

/** The off-site copies. Only Pulumi can decrypt the credentials for them; the agent receives them on stdin. */
async function availableOffsiteCopies(
  folder: string,
  stack: StackName,
  host: string,
  agent: string,
): Promise<AvailableBackups> {
  const args = ["config", "get", "--path", "stagecraft:data.offsite", "--stack", stack];
  const { exitCode, stdout, stderr } = await runPulumi(folder, args);
  if (exitCode !== 0) throw new UpdateFailed(updateProblems({ stack, errors: [], stderr }));
  const offsite = JSON.parse(stdout) as z.input<typeof offsiteSourceSchema>;
  return call({ server: stack, host, agent }, "copies-at-hand", { request: { offsite } });
}
