import type { SettingProblem } from "../base/config-problem";
import { formatBytes } from "../base/units";
import type { PostgresVersion } from "./catalogue";
import { whyFixed, whyGone } from "./fixed";
import { findSetting, isExtensionSetting, nearestSetting } from "./names";
import { readNumber } from "./number";
import { valueProblem } from "./value";

/** Settings by PostgreSQL's own names, with the values as they were written. */
export type SettingValues = Readonly<Record<string, string>>;

/** What could be read of settings. */
export interface CheckedSettings {
  /** Those without a problem. */
  readonly settings: SettingValues;
  /** `path` is the key as it was written. */
  readonly problems: readonly SettingProblem[];
}

/** What is known of the server. */
export interface ServerFacts {
  readonly version: PostgresVersion;
  /** Bytes of the container's memory, where it is known. */
  readonly memory?: number | undefined;
}

/** Reads settings in either notation, and says what PostgreSQL would not take, as far as the catalogue of its version tells. */
export function checkSettings(
  raw: Readonly<Record<string, unknown>>,
  { version, memory }: ServerFacts,
): CheckedSettings {
  const settings: Record<string, string> = {};
  const problems: SettingProblem[] = [];
  const keys = new Map<string, string>();
  for (const [key, given] of Object.entries(raw)) {
    const checked = checkSetting(key, given, version);
    if ("problem" in checked) {
      problems.push({ path: key, text: checked.problem });
      continue;
    }
    const { name, value } = checked;
    const before = keys.get(name.toLowerCase());
    if (before === undefined) settings[name] = value;
    else problems.push({ path: key, text: `is ${before} once more; keep one of the two` });
    keys.set(name.toLowerCase(), key);
  }
  const together = checkTogether(settings, version, memory).map(({ path, text }) => ({
    path: keys.get(path) ?? path,
    text,
  }));
  return { settings, problems: [...problems, ...together] };
}

type Checked = { readonly name: string; readonly value: string } | { readonly problem: string };

function checkSetting(key: string, given: unknown, version: PostgresVersion): Checked {
  const setting = findSetting(key, version);
  const name = setting?.name ?? key;
  const fixed = whyFixed(name);
  if (fixed !== undefined) return { problem: `is set by Stagecraft: ${fixed}; leave it out` };
  const gone = whyGone(name);
  if (gone !== undefined) return { problem: `cannot be set: ${gone}` };
  if (!setting && !isExtensionSetting(key)) return { problem: unknown(key, version) };
  if (setting?.context === "internal") {
    return { problem: "cannot be set: PostgreSQL tells it of itself; leave it out" };
  }
  const value = textOf(given);
  if (value === undefined) {
    return { problem: `must be text, a number, true or false, got ${JSON.stringify(given)}` };
  }
  const problem = valueProblem(setting, value, JSON.stringify(given));
  return problem === undefined ? { name, value } : { problem };
}

function unknown(key: string, version: PostgresVersion): string {
  const meant = nearestSetting(key, version);
  return meant === undefined
    ? "unknown setting; they are in chapter 19 of PostgreSQL's manual, and an extension's have its name before a dot"
    : `unknown setting; did you mean ${meant}?`;
}

/** YAML has numbers and true or false besides text. */
function textOf(given: unknown): string | undefined {
  if (typeof given === "string") return given;
  if (typeof given === "boolean") return given ? "on" : "off";
  return typeof given === "number" && Number.isFinite(given) ? String(given) : undefined;
}

/** What fits by itself but not with the rest of the server. */
function checkTogether(
  settings: SettingValues,
  version: PostgresVersion,
  memory: number | undefined,
): SettingProblem[] {
  const problems: SettingProblem[] = [];
  const count = (name: string): number | undefined => {
    const setting = findSetting(name, version);
    const value = settings[name];
    const read = setting && value !== undefined ? readNumber(setting, value) : undefined;
    return typeof read === "number" ? read : undefined;
  };
  const blocks = count("shared_buffers");
  if (memory !== undefined && blocks !== undefined && blocks * 8192 >= memory) {
    const text = `must be less than the container's memory of ${formatBytes(memory)}, got ${formatBytes(blocks * 8192)}; set postgres.memory higher or this lower`;
    problems.push({ path: "shared_buffers", text });
  }
  const archives = !/^(off|false|no|0)$/i.test(settings.archive_mode ?? "on");
  if (archives && settings.wal_level?.toLowerCase() === "minimal") {
    const text = `must be "replica" or "logical" while archive_mode is on, got "minimal"; set archive_mode: "off" as well, which rules backups.pointInTime out`;
    problems.push({ path: "wal_level", text });
  }
  for (const path of ["min_wal_size", "max_wal_size"]) {
    // Twice a segment of the write-ahead log, or PostgreSQL does not start.
    if ((count(path) ?? 32) < 32) {
      problems.push({
        path,
        text: `must be at least 32 MB, got ${JSON.stringify(settings[path])}`,
      });
    }
  }
  return problems;
}
