import * as pulumi from "@pulumi/pulumi";
import { planLines } from "../../model/restore/refresh-plan-text";
import { call } from "../../engine/agent-client";
import type { RestoreRequest } from "../../model/restore/protocol";
import type { RefreshPlan } from "../../model/restore/refresh-plan";
import type { AgentRef } from "../engine/server-ref";
import { UserError } from "../engine/user-error";

/**
 * Logs the refresh plan at preview, and fails the preview if the refresh cannot be done. The update itself runs the same
 * checks.
 */
export function logRefreshPlan(
  resource: pulumi.Resource,
  server: Pick<AgentRef, "host" | "names">,
  request: RestoreRequest,
): void {
  if (!pulumi.runtime.isDryRun()) return;
  void askPlan(server, request).then((plan) => {
    if (!plan) return;
    void pulumi.log.info(planLines(plan, new Date()).join("\n"), resource);
    // Not awaited: Pulumi shows it as the error that ended the program. An error in its log would not fail the preview.
    if (plan.problems.length > 0) throw new UserError(plan.problems.join("\n"));
  });
}

/** `undefined` when the agent does not answer, or in the words of an earlier version: then the update has to find out. */
async function askPlan(
  { host, names }: Pick<AgentRef, "host" | "names">,
  { server, ...request }: RestoreRequest,
): Promise<RefreshPlan | undefined> {
  const agent = { server, host, agent: names.agent };
  return call(agent, "plan", { request, timeoutMs: 30_000 }).catch(() => undefined);
}
