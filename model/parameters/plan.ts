import type { PostgresVersion } from "./catalogue";
import type { SettingValues } from "./check";
import { findSetting } from "./names";
import { canonicalValue } from "./value";

/** What a change of settings takes, by PostgreSQL's own names. */
export interface SettingsPlan {
  /** In force after a reload; those of `log_connections`' kind in new sessions. No connection ends. */
  readonly reload: readonly string[];
  /** In force after a restart of PostgreSQL, which ends all connections. */
  readonly restart: readonly string[];
}

/** Compares the settings before and after a change; another notation of the same value is none. */
export function planSettings(
  before: SettingValues,
  after: SettingValues,
  version: PostgresVersion,
): SettingsPlan {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  const changed = names.filter((name) => {
    const [old, wanted] = [before[name], after[name]];
    if (old === undefined || wanted === undefined) return true;
    const setting = findSetting(name, version);
    return canonicalValue(setting, old) !== canonicalValue(setting, wanted);
  });
  const needsRestart = (name: string): boolean =>
    findSetting(name, version)?.context === "postmaster";
  return {
    reload: changed.filter((name) => !needsRestart(name)),
    restart: changed.filter(needsRestart),
  };
}

/** The plan as a sentence for a preview; `undefined` when nothing changes. */
export function describePlan({ reload, restart }: SettingsPlan): string | undefined {
  const parts = [
    ...(reload.length > 0 ? [`${listed(reload)} by a reload, no connection ends`] : []),
    ...(restart.length > 0 ? [`${listed(restart)} by a restart, all connections end`] : []),
  ];
  return parts.length > 0 ? parts.join("; ") : undefined;
}

function listed(names: readonly string[]): string {
  return names.length < 2
    ? names.join("")
    : `${names.slice(0, -1).join(", ")} and ${names.at(-1) ?? ""}`;
}
