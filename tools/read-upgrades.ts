import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join, resolve, sep } from "node:path";
import type { SettingProblem } from "../model/base/config-problem";
import { standingProblems } from "../model/upgrades/chain";
import { collectScripts, mayBeScript, type FoundFile } from "../model/upgrades/collect";
import type { Upgrades } from "../model/upgrades/protocol";
import { rulesOf, type UpgradesSettings } from "../model/stack-file/upgrades";

/** The upgrade scripts that a stack's section `upgrades` names, and what is wrong with them; nothing is run. */
export function readUpgrades(
  projectFolder: string,
  settings: UpgradesSettings,
): { readonly upgrades: Upgrades; readonly problems: readonly SettingProblem[] } {
  const rules = rulesOf(settings);
  const { folder } = settings;
  const none = { upgrades: { scripts: [], rules }, problems: [] };
  if (folder === undefined) return none;
  const place = resolve(projectFolder, folder);
  const problem = (text: string): SettingProblem => ({ path: "upgrades.folder", text });
  if (!existsSync(place) || !statSync(place).isDirectory()) {
    const text = `there is no folder ${folder}; give its path from the project folder`;
    return { ...none, problems: [problem(text)] };
  }
  const { scripts, problems } = collectScripts(filesBelow(place), (text) =>
    createHash("sha256").update(text).digest("hex"),
  );
  const all = problems.length > 0 ? problems : standingProblems(scripts, rules);
  if (scripts.length === 0 && all.length === 0) {
    const text = `there is no file upgrade-<from>-<to>.sql in ${folder} or below it`;
    return { ...none, problems: [problem(text)] };
  }
  return { upgrades: { scripts: [...scripts], rules }, problems: all.map(problem) };
}

function filesBelow(folder: string): FoundFile[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((path) => path.split(sep).join("/"))
    .filter((path) => mayBeScript(path) && statSync(join(folder, path)).isFile())
    .map((path) => ({ path, bytes: readFileSync(join(folder, path)) }));
}
