import { plural } from "../base/units";
import type { PostgresVersion } from "./catalogue";
import type { SettingValues } from "./check";
import { describePlan, planSettings } from "./plan";
import type { SettingsObservation } from "./protocol";

/** What is not as it should be about a server's settings, a sentence each, for the preview. */
export function settingsDrift({
  alterSystem,
  behind = [],
  pendingRestart,
}: SettingsObservation): string[] {
  return [
    ...alterSystem.map((name) => `${name} was set by ALTER SYSTEM; up takes it back`),
    ...behind.map((name) =>
      name === "postgresql.conf"
        ? "postgresql.conf does not read Stagecraft's settings at its end; up lets it"
        : `${name} was set in postgresql.conf behind Stagecraft's settings; up puts those last again`,
    ),
    ...pendingRestart.map((name) => `${name} waits for a restart of PostgreSQL; up restarts it`),
  ];
}

/** What a change of settings takes, as a sentence for the preview; `undefined` when nothing changes. */
export function settingsChange(
  seen: SettingsObservation,
  wanted: SettingValues,
  version: PostgresVersion,
  openConnections: number,
): string | undefined {
  const plan = planSettings(seen.values, wanted, version);
  const text = describePlan(plan);
  const now = plan.restart.length > 0 ? ` (${plural(openConnections, "connection")} now)` : "";
  return text === undefined ? undefined : `settings: ${text}${now}`;
}
