import { z } from "zod";
import { inspectContainers } from "../../engine/containers";
import { readStackFile } from "../project/stack-file";
import { runPulumi } from "./run-pulumi";
import type { StackName } from "../project/stacks";
import { conflictingContainer, type ContainerConflict } from "./container-conflict";

const exportSchema = z.object({
  deployment: z.object({
    pending_operations: z
      .array(
        z.object({
          type: z.string(),
          resource: z.object({ inputs: z.object({ name: z.unknown().optional() }).optional() }),
        }),
      )
      .nullish(),
  }),
});

/** Inspects the container whose name an update could not use; `undefined` if no error is about such a container. */
export async function findContainerConflict(
  folder: string,
  stack: StackName,
  errors: readonly string[],
): Promise<ContainerConflict | undefined> {
  const [name] = errors.flatMap((error) => conflictingContainer(error) ?? []);
  if (name === undefined) return undefined;
  const { exitCode, stdout } = await runPulumi(folder, ["stack", "export", "--stack", stack]);
  const isLeftBehind = exitCode === 0 && pendingContainers(stdout).includes(name);
  const { host } = readStackFile(folder, stack);
  const [found] = await inspectContainers(host, [name]).catch(() => []);
  return { name, isLeftBehind, found };
}

/** Names of the resources that killed updates were creating, from a stack's export. */
export function pendingContainers(stackExport: string): string[] {
  const { deployment } = exportSchema.parse(JSON.parse(stackExport));
  return (deployment.pending_operations ?? [])
    .filter(({ type }) => type === "creating")
    .map(({ resource }) => resource.inputs?.name)
    .filter((name) => typeof name === "string");
}
