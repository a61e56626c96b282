import { plural } from "../base/units";
import type { PostgresVersion } from "./catalogue";
import type { ParameterValues } from "./check";
import { describeParametersPlan, planParameters } from "./plan";
import type { ParametersObservation } from "./protocol";

/** Drift of a server's parameters, one sentence each, for the preview. */
export function parametersDrift({
  alterSystem,
  behind = [],
  pendingRestart,
}: ParametersObservation): string[] {
  return [
    ...alterSystem.map((name) => `${name} was set by ALTER SYSTEM; up resets it`),
    ...behind.map((name) =>
      name === "postgresql.conf"
        ? "postgresql.conf does not include Stagecraft's files at its end; up adds them"
        : `${name} is set in postgresql.conf after Stagecraft's files and overrides them; up moves those to the end`,
    ),
    ...pendingRestart.map(
      (name) => `${name} takes effect after a restart of PostgreSQL; up restarts it`,
    ),
  ];
}

/** The effect of a parameter change, as a sentence for the preview; `undefined` when nothing changes. */
export function parametersChange(
  observed: ParametersObservation,
  desired: ParameterValues,
  version: PostgresVersion,
  openConnections: number,
): string | undefined {
  const plan = planParameters(observed.values, desired, version);
  const text = describeParametersPlan(plan);
  const now = plan.restart.length > 0 ? ` (${plural(openConnections, "connection")} now)` : "";
  return text === undefined ? undefined : `parameters: ${text}${now}`;
}
