import type { ConfigProblem } from "../base/config-problem";
import { formatBytes } from "../base/units";
import type { PostgresVersion } from "./catalogue";
import { reservedReason, removedReason } from "./reserved";
import { findParameter, isExtensionParameter, nearestParameter } from "./names";
import { readNumber } from "./numeric-value";
import { valueProblem } from "./value";

/** Parameter values by PostgreSQL's names, in the notation of the stack file. */
export type ParameterValues = Readonly<Record<string, string>>;

/** Result of {@link checkParameters}. */
export interface CheckedParameters {
  /** The valid ones. */
  readonly parameters: ParameterValues;
  /** `path` is the key in the notation of the stack file. */
  readonly problems: readonly ConfigProblem[];
}

/** What parameters are checked against. */
export interface ServerLimits {
  readonly version: PostgresVersion;
  /** The container's memory in bytes, if known. */
  readonly memory?: number | undefined;
}

/** Checks parameters in either notation against the catalogue of PostgreSQL's version. */
export function checkParameters(
  raw: Readonly<Record<string, unknown>>,
  { version, memory }: ServerLimits,
): CheckedParameters {
  const parameters: Record<string, string> = {};
  const problems: ConfigProblem[] = [];
  const keys = new Map<string, string>();
  for (const [key, rawValue] of Object.entries(raw)) {
    const checked = checkParameter(key, rawValue, version);
    if ("problem" in checked) {
      problems.push({ path: key, text: checked.problem });
      continue;
    }
    const { name, value } = checked;
    const before = keys.get(name.toLowerCase());
    if (before === undefined) parameters[name] = value;
    else
      problems.push({ path: key, text: `is the same parameter as ${before}; remove one of them` });
    keys.set(name.toLowerCase(), key);
  }
  const combined = checkCombinations(parameters, version, memory).map(({ path, text }) => ({
    path: keys.get(path) ?? path,
    text,
  }));
  return { parameters, problems: [...problems, ...combined] };
}

type Checked = { readonly name: string; readonly value: string } | { readonly problem: string };

function checkParameter(key: string, rawValue: unknown, version: PostgresVersion): Checked {
  const parameter = findParameter(key, version);
  const name = parameter?.name ?? key;
  const reserved = reservedReason(name);
  if (reserved !== undefined) return { problem: `is set by Stagecraft: ${reserved}; leave it out` };
  const removed = removedReason(name);
  if (removed !== undefined) return { problem: `cannot be set: ${removed}` };
  if (!parameter && !isExtensionParameter(key)) return { problem: unknownParameter(key, version) };
  if (parameter?.context === "internal") {
    return { problem: "is read-only in PostgreSQL; leave it out" };
  }
  const value = textOf(rawValue);
  if (value === undefined) {
    return { problem: `must be text, a number, true or false, got ${JSON.stringify(rawValue)}` };
  }
  const problem = valueProblem(parameter, value, JSON.stringify(rawValue));
  return problem === undefined ? { name, value } : { problem };
}

function unknownParameter(key: string, version: PostgresVersion): string {
  const suggestion = nearestParameter(key, version);
  return suggestion === undefined
    ? "unknown parameter; see chapter 19 of PostgreSQL's manual (parameters of an extension have its name as a prefix, e.g. auto_explain.log_min_duration)"
    : `unknown parameter; did you mean ${suggestion}?`;
}

/** Converts a YAML value to PostgreSQL's notation; `undefined` for other types. */
function textOf(rawValue: unknown): string | undefined {
  if (typeof rawValue === "string") return rawValue;
  if (typeof rawValue === "boolean") return rawValue ? "on" : "off";
  return typeof rawValue === "number" && Number.isFinite(rawValue) ? String(rawValue) : undefined;
}

/** Problems of values that are valid, but not together or for this server. */
function checkCombinations(
  parameters: ParameterValues,
  version: PostgresVersion,
  memory: number | undefined,
): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const count = (name: string): number | undefined => {
    const parameter = findParameter(name, version);
    const value = parameters[name];
    const read = parameter && value !== undefined ? readNumber(parameter, value) : undefined;
    return typeof read === "number" ? read : undefined;
  };
  const blocks = count("shared_buffers");
  if (memory !== undefined && blocks !== undefined && blocks * 8192 >= memory) {
    const text = `must be less than the container's memory of ${formatBytes(memory)}, got ${formatBytes(blocks * 8192)}; increase postgres.memory or reduce this`;
    problems.push({ path: "shared_buffers", text });
  }
  const archives = !/^(off|false|no|0)$/i.test(parameters.archive_mode ?? "on");
  if (archives && parameters.wal_level?.toLowerCase() === "minimal") {
    const text = `must be "replica" or "logical" while archive_mode is on, got "minimal"; set archive_mode: "off" as well (backups.pointInTime needs "on")`;
    problems.push({ path: "wal_level", text });
  }
  for (const path of ["min_wal_size", "max_wal_size"]) {
    // PostgreSQL does not start with less than two WAL segments.
    if ((count(path) ?? 32) < 32) {
      problems.push({
        path,
        text: `must be at least 32 MB, got ${JSON.stringify(parameters[path])}`,
      });
    }
  }
  return problems;
}
