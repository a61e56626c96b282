import * as pulumi from "@pulumi/pulumi";
import { planLines } from "../../model/restore/refresh-plan-text";
import { refreshPlanSchema, type RefreshPlan } from "../../model/restore/refresh-plan";
import { dockerWithInput } from "../engine/docker";
import type { AgentRef } from "../engine/server-ref";
import { UserError } from "../engine/user-error";

/**
 * Logs the refresh plan at preview, and fails the preview if the refresh cannot be done. The update itself runs the same
 * checks.
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
    // Not awaited: Pulumi shows it as the error that ended the program. An error in its log would not fail the preview.
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
