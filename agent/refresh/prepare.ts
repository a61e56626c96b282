import { incomingName } from "../../model/names";
import type { Preparation, Prepared } from "../../model/refresh/preparation";
import { databaseRoles } from "../../model/roles/names";
import { AgentError } from "../errors";
import { carryOver } from "../keep/carry-over";
import type { Step } from "../restore/judge";
import { runUpgrades } from "../upgrades/run";

/** Whose contents are prepared. */
export interface PreparationTarget {
  readonly server: string;
  readonly database: string;
  /** Whether there is a live database, whose tables may be carried over. */
  readonly hasLive: boolean;
}

/**
 * Does to a database's `__incoming` what is to be done before it takes the name. Nobody else is connected to it. What was
 * done is put into `prepared` as it comes; throws an {@link AgentError} at the first part that fails.
 */
export async function prepare(
  { server, database, hasLive }: PreparationTarget,
  { upgrades, keep = [] }: Preparation,
  prepared: Prepared,
  step: Step,
): Promise<void> {
  const incoming = incomingName(database);
  const { owner } = databaseRoles(database);
  if (upgrades) {
    prepared.upgrades = await step("upgrade", async () =>
      runUpgrades({ database: incoming, owner, server }, upgrades),
    );
    if (prepared.upgrades.result !== "applied") throw new AgentError(prepared.upgrades.text);
  }
  if (keep.length > 0 && hasLive) {
    prepared.keep = await step("keep", async () =>
      carryOver({ live: database, incoming, owner, keep }),
    );
  }
}
