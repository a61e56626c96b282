import { engineNames } from "../../model/base/engine-names";
import { parseOrigin } from "../../model/stack-file/data-origin";
import {
  availableBackupsSchema,
  type AvailableBackups,
} from "../../model/restore/available-backups";
import { askAgent, workOfAgent } from "./docker";
import { Problem } from "../base/problem";
import { UpdateFailed } from "../pulumi/update";
import { runPulumi } from "../pulumi/run-pulumi";
import type { StackFile } from "../project/stack-file";
import type { StackName } from "../project/stacks";
import { updateProblems } from "../pulumi/update-errors";

/** The backups that a stack's `data.from` leads to; raises a {@link Problem} where it leads to none. */
export async function availableBackups(
  folder: string,
  stack: StackName,
  { settings, host, names }: StackFile,
): Promise<AvailableBackups> {
  const { data, namePrefix = "" } = settings;
  const from = data?.from;
  if (from === undefined) {
    throw new Problem(
      `Pulumi.${stack}.yaml names a dump, not a place of backups, so there is nothing to refresh from`,
      "set stagecraft:data to { from: server:prod, backup: <id> }",
    );
  }
  const origin = parseOrigin(from, namePrefix);
  if (!("problem" in origin) && origin.kind === "offsite") {
    return availableOffsiteCopies(folder, stack, host, names.agent);
  }
  if ("problem" in origin || origin.kind === "folder") {
    throw new Problem(
      `data.from of ${stack} is ${from}, and only a server's backups can be refreshed from`,
      "set it to server:prod, or change data.backup and run: pulumi up",
    );
  }
  // The server itself knows best; of another project's volume only this stack's agent can tell.
  const server = /^server:(.+)$/.exec(from)?.[1];
  const [agent, place] =
    server === undefined ? [names.agent, "source"] : [engineNames(namePrefix, server).agent, "own"];
  const text = await askAgent(host, agent, "backups-at-hand", place);
  return availableBackupsSchema.parse(JSON.parse(text));
}

/** The off-site copies there are. Only Pulumi can decrypt the way to them; it goes on to the agent by stdin. */
async function availableOffsiteCopies(
  folder: string,
  stack: StackName,
  host: string,
  agent: string,
): Promise<AvailableBackups> {
  const args = ["config", "get", "--path", "stagecraft:data.offsite", "--stack", stack];
  const { exitCode, stdout, stderr } = await runPulumi(folder, args);
  if (exitCode !== 0) throw new UpdateFailed(updateProblems({ stack, errors: [], stderr }));
  const input = JSON.stringify({ server: stack, offsite: JSON.parse(stdout) as unknown });
  const said = await workOfAgent(host, agent, ["copies-at-hand"], input, () => undefined);
  if (said.exitCode !== 0) throw new Problem(said.stderr.trim());
  return availableBackupsSchema.parse(JSON.parse(said.stdout));
}
