import {
  baseImage,
  dockerEngine,
  nodeRuntime,
  pulumiToolchain,
  type Requirement,
} from "../../tools";
import { readStackFile } from "../project/stack-file";
import { ensureServerImage } from "../server/server-image";
import { ensureProjectFiles } from "../pulumi/setup";
import { stackKinds, type StackName } from "../project/stacks";
import { StepList } from "../terminal/steps";
import { nextText } from "../text/next-steps";
import { runUp } from "./up";

/** `stagecraft start`: sets up this machine and the project, and brings a server up. */
export async function runStart(folder: string, stack: StackName): Promise<void> {
  const kind = stackKinds[stack];
  const { host, settings } = readStackFile(folder, stack);
  const database = settings.database?.name;
  console.log(`Stagecraft · ${kind} server`);
  const steps = new StepList(process.stdout);
  for (const requirement of [nodeRuntime, dockerEngine, baseImage, pulumiToolchain]) {
    await ensureRequirement(steps, requirement);
  }
  await steps.run("server image", async (report) => {
    const { built } = await ensureServerImage(folder, report);
    return { detail: built ? "built" : "present" };
  });
  await steps.run("project files", async () => {
    const created = await ensureProjectFiles(folder, stack);
    return { detail: created.length > 0 ? `created: ${created.join(", ")}` : "present" };
  });
  const { changed, server } = await runUp(folder, stack, steps);
  if (!changed) console.log(`\nNothing to do: the ${kind} server is up`);
  const address = server?.addresses[0];
  console.log(`\n${nextText({ stack, kind, host, address, database })}`);
}

async function ensureRequirement(steps: StepList, requirement: Requirement): Promise<void> {
  await steps.run(requirement.name, async (report) => ({
    detail: await requirement.ensure(report),
  }));
}
