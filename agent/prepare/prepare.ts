import { candidateName } from "../../model/base/names";
import type { Preparation, PreparationReport } from "../../model/restore/preparation";
import type { Masks } from "../../model/masks/mask";
import type { MasksReport } from "../../model/masks/report";
import { databaseRoles } from "../../model/roles/names";
import { AgentError } from "../system/errors";
import { runDefuse } from "./defuse/run";
import { preserveTables } from "./preserve/preserve-tables";
import { applyMasks, checkMasks } from "./masks/apply";
import type { MaskedDatabase } from "./masks/masking-session";
import { serverMaskKey } from "./masks/server-key";
import { logLine } from "../system/progress";
import type { RunStep } from "../system/step";
import { applyUpgrades } from "./upgrades/run";

/** The database that is prepared. */
export interface PreparationTarget {
  readonly server: string;
  readonly database: string;
  /** Whether there is a live database whose tables can be preserved. */
  readonly hasLive: boolean;
}

/**
 * Prepares the candidate database for the swap: upgrade scripts, masks, defuse statements, preserved tables. The
 * candidate has no other connections. The report of each part is added to `prepared`. Throws an {@link AgentError} at
 * the first part that fails.
 */
export async function prepareCandidate(
  { server, database, hasLive }: PreparationTarget,
  { upgrades, masks, defuse = [], keep = [] }: Preparation,
  prepared: PreparationReport,
  step: RunStep,
): Promise<void> {
  const candidate = candidateName(database);
  const { owner } = databaseRoles(database);
  if (upgrades) {
    prepared.upgrades = await step("upgrade", async () =>
      applyUpgrades(
        { database: candidate, owner, server, hidesValues: masks !== undefined },
        upgrades,
      ),
    );
    if (prepared.upgrades.result !== "applied") throw new AgentError(prepared.upgrades.text);
  }
  if (masks)
    prepared.masks = await step("mask", async () => mask({ database: candidate, owner }, masks));
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

async function mask(database: MaskedDatabase, masks: Masks): Promise<MasksReport> {
  const key = await serverMaskKey();
  const { plan, problems } = await checkMasks(database, masks, key);
  if (plan) return applyMasks(database, plan, key, logLine);
  const lines = problems.map(({ path, text }) => `${path}: ${text}`);
  throw new AgentError(["the masks do not fit the data", ...lines].join("\n"));
}
