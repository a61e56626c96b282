import * as pulumi from "@pulumi/pulumi";
import { planLines } from "../../model/restore/refresh-plan-text";
import { refreshPlanSchema, type RefreshPlan } from "../../model/restore/refresh-plan";
import { dockerWithInput } from "../engine/docker";
import type { AgentRef } from "../engine/server-ref";
import { UserError } from "../engine/user-error";

/**
 * Says at preview what a refresh would do, and makes the preview fail where it cannot be done. Not at the update itself:
 * there it is done, or refused, by the same checks.
 */
export function logRefreshPlan(
  resource: pulumi.Resource,
  server: Pick<AgentRef, "host" | "names">,
  request: string,
): void {
  if (!pulumi.runtime.isDryRun()) return;
  void askPlan(server, request).then((plan) => {
    if (!plan) return;
    void pulumi.log.info(planLines(plan, new Date()).join("\n"), resource);
    // Nobody awaits this; Pulumi takes it for what ended the program, and shows it as it is. An error in its log would not do.
    if (plan.problems.length > 0) throw new UserError(plan.problems.join("\n"));
  });
}

async function askPlan(
  { host, names }: Pick<AgentRef, "host" | "names">,
  request: string,
): Promise<RefreshPlan | undefined> {
  const verb = ["exec", "-i", names.agent, "stagecraft-agent", "plan"];
  const { status, stdout } = await dockerWithInput(host, request, ...verb);
  if (status !== 0) return undefined;
  return refreshPlanSchema.safeParse(JSON.parse(stdout)).data;
}
