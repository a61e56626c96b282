import type * as command from "@pulumi/command";
import { createHash } from "node:crypto";
import type { Observation } from "../model/observation";
import { settingsRequestSchema } from "../model/postgres-settings/protocol";
import { describePlan, planSettings } from "../model/postgres-settings/plan";
import { renderSettings } from "../model/postgres-settings/render";
import type { SettingValues } from "../model/postgres-settings/check";
import { plural } from "../model/units";
import { agentCommand, type CommandedServer } from "./agent-command";

// Put in place and reloaded; what waits for a restart gets one, and is then looked at again.
const text = `set -eu
request=$(cat)
ask() { printf '%s' "$request" | docker exec -i "$AGENT" stagecraft-agent "$@"; }
answer=$(ask settings "$GENERATION")
case $answer in
  *'"restart":[]'*) printf '%s\\n' "$answer" ;;
  *)
    docker restart --time 120 "$POSTGRES" > /dev/null
    ask settings-confirm "$GENERATION"
    ;;
esac`;

/** Puts PostgreSQL's settings in force: by a reload, and by a restart where PostgreSQL needs one. */
export function settingsCommand(
  server: string,
  commanded: CommandedServer,
  settings: SettingValues,
): command.local.CommandArgs {
  const sha256 = createHash("sha256").update(renderSettings(settings)).digest("hex");
  return agentCommand(commanded, {
    area: "settings",
    request: JSON.stringify(settingsRequestSchema.parse({ server, settings })),
    isAsWanted: (seen) => seen.settings.sha256 === sha256 && settingsDrift(seen).length === 0,
    text,
  });
}

/** What is not as it should be about a server's settings, a sentence each, for the preview. */
export function settingsDrift({ settings }: Observation): string[] {
  const { alterSystem, pendingRestart } = settings;
  return [
    ...alterSystem.map((name) => `${name} was set by ALTER SYSTEM; up takes it back`),
    ...pendingRestart.map((name) => `${name} waits for a restart of PostgreSQL; up restarts it`),
  ];
}

/** What a change of settings takes, as a sentence for the preview; `undefined` when nothing changes. */
export function settingsChange(
  { settings: seen, databases }: Observation,
  settings: SettingValues,
): string | undefined {
  const plan = planSettings(seen.values, settings, 17);
  const text = describePlan(plan);
  const open = databases.reduce((sum, { connections }) => sum + connections, 0);
  const now = plan.restart.length > 0 ? ` (${plural(open, "connection")} now)` : "";
  return text === undefined ? undefined : `settings: ${text}${now}`;
}
