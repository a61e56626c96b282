import { existsSync, readdirSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { chooseDump } from "../../model/settings/choose-dump";
import type { SettingProblem } from "../../model/settings/problems";
import type { Settings } from "../../model/settings/schema";
import { readDump, type Dump } from "./dump";

/** Finds the dump that a stack's `data` section names; what is wrong with the section, if so. */
export function findDump(
  projectFolder: string,
  { dump, from = "", backup = "" }: Settings["data"],
  database: string | undefined,
): { dump: Dump } | { problem: SettingProblem } {
  if (dump !== undefined) return look(projectFolder, "data.dump", dump);
  const folder = resolve(projectFolder, from);
  if (!existsSync(folder) || !statSync(folder).isDirectory()) {
    const text = `there is no folder ${from}; give its path from the project folder`;
    return { problem: { path: "data.from", text } };
  }
  const choice = chooseDump(readdirSync(folder), backup, database);
  if ("problem" in choice) return { problem: { path: "data.backup", text: choice.problem } };
  return look(projectFolder, "data.backup", join(from, choice.fileName));
}

function look(
  projectFolder: string,
  key: string,
  path: string,
): { dump: Dump } | { problem: SettingProblem } {
  const dump = readDump(projectFolder, path);
  return "problem" in dump ? { problem: { path: key, text: dump.problem } } : { dump };
}
