import type { RestoreRequest } from "../../../model/restore/protocol";
import type { RefreshPlan } from "../../../model/restore/refresh-plan";
import { withConnection } from "../../postgres/connect";
import { databaseNames } from "../../postgres/databases";
import { planRefresh } from "../../restore/plan";
import { newerContentsProblems } from "./newer-contents";

/** Previews a restore, and on production whether its missing database would be filled with older contents than there are. */
export async function planRestore(request: RestoreRequest): Promise<RefreshPlan> {
  const plan = await planRefresh(request);
  if (request.mode !== "when missing") return plan;
  const names = await withConnection("postgres", databaseNames);
  if (names.has(request.database)) return plan;
  return { ...plan, problems: [...plan.problems, ...(await newerContentsProblems(request))] };
}
