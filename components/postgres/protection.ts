import * as command from "@pulumi/command";
import type * as pulumi from "@pulumi/pulumi";
import { scriptText } from "../../engine/shell-call";
import script from "./refuse-deletion.sh";

/**
 * Lets Pulumi refuse to delete a server before it has deleted any part of it, also without a preview
 * (`pulumi destroy --skip-preview`, Automation API). The protected volumes alone refuse too late: they are the last to be
 * deleted, because everything else depends on them. This resource depends on everything, so it is the first, and what it
 * depends on stays when its deletion fails. It is not protected itself: `--exclude-protected` would keep everything.
 */
export function refuseDeletion(
  parent: pulumi.Resource,
  { name, server }: { readonly name: string; readonly server: string },
  dependsOn: readonly pulumi.Resource[],
): void {
  new command.local.Command(
    `${name}-protection`,
    {
      create: ":",
      delete: scriptText(script),
      environment: { SERVER: server },
      addPreviousOutputInEnv: false,
    },
    { parent, dependsOn: [...dependsOn] },
  );
}
