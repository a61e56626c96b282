import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join, resolve, sep } from "node:path";
import type { ConfigProblem } from "../model/base/config-problem";
import { baselineProblems } from "../model/upgrades/chain";
import { collectScripts, isScriptCandidate, type ScriptFile } from "../model/upgrades/collect";
import type { Upgrades } from "../model/upgrades/protocol";
import { upgradeRules, type UpgradesConfig } from "../model/stack-file/upgrades";

/** Reads the upgrade scripts of a stack's section `upgrades`, with their problems; runs nothing. */
export function readUpgrades(
  projectFolder: string,
  settings: UpgradesConfig,
): { readonly upgrades: Upgrades; readonly problems: readonly ConfigProblem[] } {
  const rules = upgradeRules(settings);
  const { folder } = settings;
  const none = { upgrades: { scripts: [], rules }, problems: [] };
  if (folder === undefined) return none;
  const path = resolve(projectFolder, folder);
  const problem = (text: string): ConfigProblem => ({ path: "upgrades.folder", text });
  if (!existsSync(path) || !statSync(path).isDirectory()) {
    const text = `there is no folder ${folder}; give its path from the project folder`;
    return { ...none, problems: [problem(text)] };
  }
  const { scripts, problems } = collectScripts(filesUnder(path), (text) =>
    createHash("sha256").update(text).digest("hex"),
  );
  const all = problems.length > 0 ? problems : baselineProblems(scripts, rules);
  if (scripts.length === 0 && all.length === 0) {
    const text = `there is no file upgrade-<from>-<to>.sql in ${folder} or its subfolders`;
    return { ...none, problems: [problem(text)] };
  }
  return { upgrades: { scripts: [...scripts], rules }, problems: all.map(problem) };
}

function filesUnder(folder: string): ScriptFile[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((path) => path.split(sep).join("/"))
    .filter((path) => isScriptCandidate(path) && statSync(join(folder, path)).isFile())
    .map((path) => ({ path, bytes: readFileSync(join(folder, path)) }));
}
