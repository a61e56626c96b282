import type * as command from "@pulumi/command";
import { settingsDrift } from "../../model/parameters/drift";
import { settingsRequestSchema } from "../../model/parameters/protocol";
import { renderSettings } from "../../model/parameters/render";
import type { SettingValues } from "../../model/parameters/check";
import { agentCommand, type CommandedServer } from "../engine/agent-command";
import { sha256 } from "../engine/digest";

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
  const wanted = sha256(renderSettings(settings));
  return agentCommand(commanded, {
    area: "settings",
    request: JSON.stringify(settingsRequestSchema.parse({ server, settings })),
    isAsWanted: ({ settings: seen }) => seen.sha256 === wanted && settingsDrift(seen).length === 0,
    text,
  });
}
