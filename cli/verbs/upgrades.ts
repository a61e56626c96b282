import { formatProblems } from "../../model/base/config-problem";
import { type UpgradesResult } from "../../model/upgrades/protocol";
import { readUpgrades } from "../../tools/read-upgrades";
import { call } from "../../engine/agent-client";
import { findAgent } from "../server/agent";
import { Rejection } from "../base/problem";
import { readStackFile } from "../project/stack-file";
import type { StackName } from "../project/stacks";
import { upgradesText } from "../text/upgrades";

/** Options of `stagecraft upgrades`. */
export interface UpgradesOptions {
  /** Run the pending scripts on a copy of the database. */
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

/**
 * `stagecraft upgrades`: shows which upgrade scripts are applied and which are pending; the database itself is not changed.
 * Returns whether the pending scripts can be applied.
 */
export async function runUpgrades(
  folder: string,
  stack: StackName,
  options: UpgradesOptions,
): Promise<boolean> {
  const result = await readUpgradeStates(folder, stack, options.dryRun ?? false);
  console.log(options.json ? JSON.stringify(result, null, 2) : upgradesText(stack, result));
  const outcome = result.dryRun?.result ?? "applied";
  return result.problems.length === 0 && outcome === "applied";
}

async function readUpgradeStates(
  folder: string,
  stack: StackName,
  dryRun: boolean,
): Promise<UpgradesResult> {
  const { settings } = readStackFile(folder, stack);
  const { database, upgrades: section } = settings;
  const file = `Pulumi.${stack}.yaml`;
  if (database === undefined || section === undefined)
    throw new Rejection(`${file} has problems`, "npx stagecraft doctor");
  if (section.folder === undefined) {
    throw new Rejection(
      `${file} has no upgrades.folder`,
      `pulumi config set --path upgrades.folder upgrades -s ${stack}`,
    );
  }
  const { upgrades, problems } = readUpgrades(folder, section);
  if (problems.length > 0) throw new Rejection(formatProblems(file, problems));
  return call(await findAgent(folder, stack), "upgrades", {
    request: { database: database.name, upgrades, mode: dryRun ? "dry run" : "look" },
  });
}
