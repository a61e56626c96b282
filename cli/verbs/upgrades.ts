import { formatProblems } from "../../model/base/config-problem";
import { upgradesResultSchema, type UpgradesResult } from "../../model/upgrades/protocol";
import { readUpgrades } from "../../tools/read-upgrades";
import { commandAgent, findAgent } from "../server/agent";
import { Problem } from "../base/problem";
import { readStackFile } from "../project/stack-file";
import type { StackName } from "../project/stacks";
import { upgradesText } from "../text/upgrades";

/** What was said on the command line. */
export interface UpgradesOptions {
  /** Try the pending ones on a copy. */
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

/**
 * `stagecraft upgrades`: which upgrade scripts a server's data has been through, and which are pending. Nothing is
 * applied to the database itself. True unless something keeps them from being applied.
 */
export async function runUpgrades(
  folder: string,
  stack: StackName,
  options: UpgradesOptions,
): Promise<boolean> {
  const result = await ask(folder, stack, options.dryRun ?? false);
  console.log(options.json ? JSON.stringify(result, null, 2) : upgradesText(stack, result));
  const tried = result.dryRun?.result ?? "applied";
  return result.problems.length === 0 && tried === "applied";
}

async function ask(folder: string, stack: StackName, dryRun: boolean): Promise<UpgradesResult> {
  const { settings } = readStackFile(folder, stack);
  const { database, upgrades: section } = settings;
  const file = `Pulumi.${stack}.yaml`;
  if (database === undefined || section === undefined)
    throw new Problem(`${file} has problems`, "npx stagecraft doctor");
  if (section.folder === undefined) {
    throw new Problem(
      `${file} names no upgrade scripts`,
      `pulumi config set --path upgrades.folder upgrades -s ${stack}`,
    );
  }
  const { upgrades: given, problems } = readUpgrades(folder, section);
  if (problems.length > 0) throw new Problem(formatProblems(file, problems));
  return commandAgent(await findAgent(folder, stack), {
    verb: "upgrades",
    request: { database: database.name, upgrades: given, mode: dryRun ? "dry run" : "look" },
    answer: upgradesResultSchema,
  });
}
