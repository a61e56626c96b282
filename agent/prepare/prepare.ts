import { candidateName } from "../../model/base/names";
import type { Preparation, PreparationReport } from "../../model/restore/preparation";
import { databaseRoles } from "../../model/roles/names";
import { AgentError } from "../system/errors";
import { runDefuse } from "./defuse/run";
import { preserveTables } from "./preserve/preserve-tables";
import type { RestoreMasks } from "./masks/restore-masks";
import type { RunStep } from "../system/step";
import { applyUpgrades } from "./upgrades/run";

/** The database that is prepared. */
export interface PreparationTarget {
  readonly server: string;
  readonly database: string;
  /** Whether there is a live database whose tables can be preserved. */
  readonly hasLive: boolean;
  /** The masks that were applied while the database was restored. */
  readonly masks?: RestoreMasks | undefined;
}

/**
 * Prepares the candidate database for the swap: upgrade scripts, masks of the columns that they added, defuse statements,
 * preserved tables. The candidate has no other connections. The report of each part is added to `prepared`. Throws an {@link AgentError} at
 * the first part that fails.
 */
export async function prepareCandidate(
  { server, database, hasLive, masks }: PreparationTarget,
  { upgrades, defuse = [], keep = [] }: Preparation,
  prepared: PreparationReport,
  step: RunStep,
): Promise<void> {
  const candidate = candidateName(database);
  const { owner } = databaseRoles(database);
  if (masks?.report) prepared.masks = masks.report;
  if (upgrades) {
    prepared.upgrades = await step("upgrade", async () =>
      applyUpgrades(
        {
          ...{ database: candidate, owner, server },
          hidesValues: masks !== undefined,
          firesEventTriggers: false,
        },
        upgrades,
      ),
    );
    if (prepared.upgrades.result !== "applied") throw new AgentError(prepared.upgrades.text);
  }
  if (masks) {
    await masks.afterScripts(
      { database: candidate, owner },
      (prepared.upgrades?.applied.length ?? 0) > 0,
    );
    if (masks.report) prepared.masks = masks.report;
  }
  if (defuse.length > 0) {
    prepared.defuse = await step("defuse", async () =>
      runDefuse({ database: candidate, owner }, defuse),
    );
  }
  if (keep.length > 0 && hasLive) {
    prepared.keep = await step("keep", async () =>
      preserveTables({ live: database, candidate, owner, rules: keep }),
    );
  }
}
