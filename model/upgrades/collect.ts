import { nearest } from "../base/nearest";
import { examineScript } from "./script-text";
import { onlyPackage, parseScriptName, type UpgradeScript } from "./script";
import { compareVersions, versionKey, versionRule } from "./version";

/** A file below the folder of upgrade scripts. */
export interface FoundFile {
  /** From that folder, with slashes: `acs-kernel/sql/postgresql/upgrade/upgrade-5.10.0-5.10.1.sql`. */
  readonly path: string;
  readonly bytes: Buffer;
}

/** The scripts of a folder, in no order, and what is wrong with them; problems name the file. */
export interface CollectedScripts {
  readonly scripts: readonly UpgradeScript[];
  readonly problems: readonly string[];
}

/** Whether a file may be an upgrade script, so that its contents are worth reading. */
export function mayBeScript(path: string): boolean {
  const parts = path.split("/");
  const name = parts.at(-1) ?? "";
  if (!/\.sql$/i.test(name) || parts.some((part) => ignoredFolders.has(part) || /^\../.test(part)))
    return false;
  const [word = ""] = name.split(/[-_.\s]/);
  return nearest(word, ["upgrade"]) !== undefined;
}

/** Folders in which no script of ours lies: OpenACS has those of other databases beside PostgreSQL's. */
const ignoredFolders = new Set(["oracle", "node_modules"]);

/**
 * Makes scripts of the files of a folder. They may lie in it, or in a folder for each package, at any depth
 * (`<package>/sql/postgresql/upgrade/`). `sha256` digests a text.
 */
export function collectScripts(
  files: readonly FoundFile[],
  sha256: (text: string) => string,
): CollectedScripts {
  const problems: string[] = [];
  const scripts: UpgradeScript[] = [];
  const places = new Map<string, string>();
  const candidates = files
    .filter(({ path }) => mayBeScript(path))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
  for (const { path, bytes } of candidates) {
    const name = path.split("/").at(-1) ?? "";
    const versions = parseScriptName(name);
    if (!versions) {
      problems.push(
        `${path}: must be called upgrade-<from>-<to>.sql, with versions that are ${versionRule}`,
      );
      continue;
    }
    const { from, to } = versions;
    if (compareVersions(from, to) >= 0) {
      problems.push(`${path}: ${from} does not come before ${to}`);
      continue;
    }
    const owner = packageOf(path);
    const key = [owner, versionKey(from), versionKey(to)].join(" ");
    const other = places.get(key);
    if (other !== undefined) {
      problems.push(`${path}: leads from ${from} to ${to}, as ${other} does; keep one of them`);
      continue;
    }
    places.set(key, path);
    const read = readText(bytes);
    if ("problem" in read) {
      problems.push(`${path}: ${read.problem}`);
      continue;
    }
    const { text } = read;
    problems.push(...examineScript(text).problems.map((problem) => `${path}: ${problem}`));
    scripts.push({ package: owner, from, to, name, sha256: sha256(text), text });
  }
  return { scripts, problems };
}

/** The first folder; where packages have a folder of their own called so, the one in it. */
function packageOf(path: string): string {
  const folders = path.split("/").slice(0, -1);
  const [first = "", second] = folders;
  if (first === "packages" && second !== undefined) return second;
  return folders.length === 0 || layoutFolders.has(first) ? onlyPackage : first;
}

/** Names that say where in a package a script lies, not which package it is of. */
const layoutFolders = new Set(["sql", "postgresql", "upgrade", "upgrades", "packages"]);

function readText(bytes: Buffer): { readonly text: string } | { readonly problem: string } {
  if ([0xfeff, 0xfffe].includes(bytes.length < 2 ? 0 : bytes.readUInt16BE(0)))
    return { problem: "is UTF-16; save it as UTF-8" };
  const zero = bytes.indexOf(0);
  if (zero >= 0)
    return { problem: `line ${lineAt(bytes, zero)}: has a zero byte, so it is no text` };
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return { text: text.replaceAll("\r\n", "\n") };
  } catch {
    const line = 1 + bytes.toString("latin1").split("\n").findIndex(isBroken);
    return { problem: `line ${line}: is not UTF-8; save the file as UTF-8` };
  }
}

function isBroken(latin1: string): boolean {
  const bytes = Buffer.from(latin1, "latin1");
  return !Buffer.from(bytes.toString("utf8")).equals(bytes);
}

function lineAt(bytes: Buffer, position: number): number {
  return bytes.subarray(0, position).toString("latin1").split("\n").length;
}
