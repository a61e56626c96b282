import type * as command from "@pulumi/command";
import { parametersDrift } from "../../model/parameters/drift";
import { parametersRequestSchema } from "../../model/parameters/protocol";
import { renderParameters } from "../../model/parameters/render";
import type { ParameterValues } from "../../model/parameters/check";
import { agentCommand } from "../engine/agent-command";
import type { AgentRef } from "../engine/server-ref";
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

/** Applies PostgreSQL's parameters: by a reload, and by a restart if PostgreSQL needs one. */
export function parametersCommand(
  server: AgentRef,
  settings: ParameterValues,
): command.local.CommandArgs {
  const declared = sha256(renderParameters(settings));
  return agentCommand(server, {
    area: "settings",
    request: JSON.stringify(parametersRequestSchema.parse({ server: server.server, settings })),
    isUpToDate: ({ settings: seen }) =>
      seen.sha256 === declared && parametersDrift(seen).length === 0,
    text,
  });
}
