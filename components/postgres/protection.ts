import * as command from "@pulumi/command";
import type * as pulumi from "@pulumi/pulumi";
import { scriptText } from "../../engine/shell-call";
import script from "./reject-deletion.sh";

/**
 * Makes Pulumi reject the deletion of a server before any part of it is deleted, also without a preview
 * (`pulumi destroy --skip-preview`, Automation API). The protection of the volumes comes too late: they are the last to be
 * deleted, because everything else depends on them. This resource depends on everything, so it is the first, and what it
 * depends on stays when its deletion fails. It is not protected itself: `--exclude-protected` would keep everything.
 */
export function rejectDeletion(
  parent: pulumi.Resource,
  { name, server }: { readonly name: string; readonly server: string },
  dependsOn: readonly pulumi.Resource[],
): void {
  new command.local.Command(
    `${name}-protection`,
    {
      create: ":",
      // Pulumi shows the text of a command that fails.
      delete: 'exec sh -c "$CHECK"',
      environment: {
        CHECK: scriptText(script),
        REASON: `the data of ${server} is protected: nothing of it was deleted`,
        FIX: "to delete all but the data: pulumi destroy --exclude-protected; the data, too: pulumi destroy --ignore-protect",
      },
      addPreviousOutputInEnv: false,
    },
    { parent, dependsOn: [...dependsOn] },
  );
}
