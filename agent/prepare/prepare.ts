import { candidateName } from "../../model/base/names";
import type { Preparation, PreparationReport } from "../../model/restore/preparation";
import type { Masks } from "../../model/masks/mask";
import type { MasksReport } from "../../model/masks/report";
import { databaseRoles } from "../../model/roles/names";
import { AgentError } from "../system/errors";
import { runDefuse } from "./defuse/run";
import { preserveTables } from "./preserve/preserve-tables";
import { applyMasks, checkMasks } from "./masks/apply";
import { serverMaskKey } from "./masks/server-key";
import { logLine } from "../system/progress";
import type { RunStep } from "../system/step";
import { runUpgrades } from "./upgrades/run";

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
export async function prepareCandidate(
  { server, database, hasLive }: PreparationTarget,
  { upgrades, masks, defuse = [], keep = [] }: Preparation,
  prepared: PreparationReport,
  step: RunStep,
): Promise<void> {
  const incoming = candidateName(database);
  const { owner } = databaseRoles(database);
  if (upgrades) {
    prepared.upgrades = await step("upgrade", async () =>
      runUpgrades({ database: incoming, owner, server, masked: masks !== undefined }, upgrades),
    );
    if (prepared.upgrades.result !== "applied") throw new AgentError(prepared.upgrades.text);
  }
  if (masks) prepared.masks = await step("mask", async () => mask(incoming, masks));
  if (defuse.length > 0) {
    prepared.defuse = await step("defuse", async () => runDefuse(incoming, defuse));
  }
  if (keep.length > 0 && hasLive) {
    prepared.keep = await step("keep", async () =>
      preserveTables({ live: database, incoming, owner, keep }),
    );
  }
}

async function mask(database: string, masks: Masks): Promise<MasksReport> {
  const key = await serverMaskKey();
  const { plan, problems } = await checkMasks(database, masks, key);
  if (plan) return applyMasks(database, plan, key, logLine);
  const lines = problems.map(({ path, text }) => `${path}: ${text}`);
  throw new AgentError(["the masks do not fit the data", ...lines].join("\n"));
}
