import { nearest } from "../base/nearest";
import { inspectScript } from "./script-text";
import { defaultPackage, parseScriptName, type UpgradeScript } from "./script";
import { compareVersions, versionKey, versionRule } from "./version";

/** A file in the folder of upgrade scripts or below. */
export interface ScriptFile {
  /** Path relative to that folder, with slashes: `acs-kernel/sql/postgresql/upgrade/upgrade-5.10.0-5.10.1.sql`. */
  readonly path: string;
  readonly bytes: Buffer;
}

/** The scripts of a folder, unordered, and their problems, which begin with the path. */
export interface CollectedScripts {
  readonly scripts: readonly UpgradeScript[];
  readonly problems: readonly string[];
}

/** Whether a file can be an upgrade script, judging by its path. */
export function isScriptCandidate(path: string): boolean {
  const parts = path.split("/");
  const name = parts.at(-1) ?? "";
  if (!/\.sql$/i.test(name) || parts.some((part) => ignoredFolders.has(part) || /^\../.test(part)))
    return false;
  const [word = ""] = name.split(/[-_.\s]/);
  return nearest(word, ["upgrade"]) !== undefined;
}

/** Folders that are skipped. OpenACS has folders for other databases beside PostgreSQL's. */
const ignoredFolders = new Set(["oracle", "node_modules"]);

/**
 * Collects the scripts in a folder. They can be in the folder itself, or in one folder per package, at any depth
 * (`<package>/sql/postgresql/upgrade/`).
 * @param sha256 computes the SHA-256 of a text, in hexadecimal
 */
export function collectScripts(
  files: readonly ScriptFile[],
  sha256: (text: string) => string,
): CollectedScripts {
  const problems: string[] = [];
  const scripts: UpgradeScript[] = [];
  const paths = new Map<string, string>();
  const candidates = files
    .filter(({ path }) => isScriptCandidate(path))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
  for (const { path, bytes } of candidates) {
    const name = path.split("/").at(-1) ?? "";
    const versions = parseScriptName(name);
    if (!versions) {
      problems.push(
        `${path}: must be named upgrade-<from>-<to>.sql, with versions that are ${versionRule}`,
      );
      continue;
    }
    const { from, to } = versions;
    if (compareVersions(from, to) >= 0) {
      problems.push(`${path}: ${from} is not lower than ${to}`);
      continue;
    }
    const owner = packageOf(path);
    const key = [owner, versionKey(from), versionKey(to)].join(" ");
    const other = paths.get(key);
    if (other !== undefined) {
      problems.push(
        `${path}: upgrades from ${from} to ${to}, as does ${other}; remove one of them`,
      );
      continue;
    }
    paths.set(key, path);
    const read = readText(bytes);
    if ("problem" in read) {
      problems.push(`${path}: ${read.problem}`);
      continue;
    }
    const { text } = read;
    problems.push(...inspectScript(text).problems.map((problem) => `${path}: ${problem}`));
    scripts.push({ package: owner, from, to, name, sha256: sha256(text), text });
  }
  return { scripts, problems };
}

/** The package of a script: its first folder, or the second if the first one is `packages`. */
function packageOf(path: string): string {
  const folders = path.split("/").slice(0, -1);
  const [first = "", second] = folders;
  if (first === "packages" && second !== undefined) return second;
  return folders.length === 0 || layoutFolders.has(first) ? defaultPackage : first;
}

/** Folders inside a package, which are not package names. */
const layoutFolders = new Set(["sql", "postgresql", "upgrade", "upgrades", "packages"]);

function readText(bytes: Buffer): { readonly text: string } | { readonly problem: string } {
  if ([0xfeff, 0xfffe].includes(bytes.length < 2 ? 0 : bytes.readUInt16BE(0)))
    return { problem: "is UTF-16; save it as UTF-8" };
  const zero = bytes.indexOf(0);
  if (zero >= 0)
    return { problem: `line ${lineAt(bytes, zero)}: has a zero byte, so it is not text` };
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
