import type { PostgresVersion } from "./catalogue";
import type { ParameterValues } from "./check";
import { findParameter } from "./names";
import { canonicalValue } from "./value";

/** How the changed parameters take effect, by PostgreSQL's names. */
export interface ParametersPlan {
  /** Applied by a reload, some (e.g. `log_connections`) only to new sessions. No connection is closed. */
  readonly reload: readonly string[];
  /** Applied by a restart of PostgreSQL, which closes all connections. */
  readonly restart: readonly string[];
}

/** Compares parameters before and after a change; a value in another notation is no change. */
export function planParameters(
  before: ParameterValues,
  after: ParameterValues,
  version: PostgresVersion,
): ParametersPlan {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  const changed = names.filter((name) => {
    const [old, desired] = [before[name], after[name]];
    if (old === undefined || desired === undefined) return true;
    const parameter = findParameter(name, version);
    return canonicalValue(parameter, old) !== canonicalValue(parameter, desired);
  });
  const needsRestart = (name: string): boolean =>
    findParameter(name, version)?.context === "postmaster";
  return {
    reload: changed.filter((name) => !needsRestart(name)),
    restart: changed.filter(needsRestart),
  };
}

/** The plan as a sentence for a preview; `undefined` when nothing changes. */
export function describeParametersPlan({ reload, restart }: ParametersPlan): string | undefined {
  const parts = [
    ...(reload.length > 0 ? [`${listed(reload)} by a reload, no connection is closed`] : []),
    ...(restart.length > 0 ? [`${listed(restart)} by a restart, all connections are closed`] : []),
  ];
  return parts.length > 0 ? parts.join("; ") : undefined;
}

function listed(names: readonly string[]): string {
  return names.length < 2
    ? names.join("")
    : `${names.slice(0, -1).join(", ")} and ${names.at(-1) ?? ""}`;
}
