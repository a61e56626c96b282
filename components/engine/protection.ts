import type * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { scriptText } from "../../engine/shell-call";
import script from "./reject-deletion.sh";
import type { AgentRef } from "./server-ref";

/**
 * Makes Pulumi reject the deletion of a protected server before any part of it is deleted, also without a preview
 * (`pulumi destroy --skip-preview`, Automation API). The protection of the volumes comes too late: they are the last to be
 * deleted, because everything else depends on them. Nothing depends on the commands that get this, so they are the first,
 * and what they depend on stays when their deletion fails.
 *
 * @param when `"always"` for a command that a server always has, `"destroy"` for one that another stack file may remove
 */
export function protectedCommand(
  { server, isProtected = false }: Pick<AgentRef, "server" | "isProtected">,
  when: "always" | "destroy",
  args: command.local.CommandArgs,
): command.local.CommandArgs {
  if (!isProtected) return args;
  const more = {
    CHECK: scriptText(script),
    WHEN: when,
    REASON: `the data of ${server} is protected: nothing of it was deleted`,
    FIX: "to delete all but the data: pulumi destroy --exclude-protected; the data, too: pulumi destroy --ignore-protect",
  };
  return {
    ...args,
    // Pulumi shows the text of a command that fails.
    delete: 'exec sh -c "$CHECK"',
    environment: pulumi.output(args.environment).apply((others) => ({ ...others, ...more })),
  };
}
