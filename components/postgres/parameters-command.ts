import type * as command from "@pulumi/command";
import { parametersDrift } from "../../model/parameters/drift";
import { parametersRequestSchema } from "../../model/parameters/protocol";
import { renderParameters } from "../../model/parameters/render";
import type { ParameterValues } from "../../model/parameters/check";
import { scriptText } from "../../engine/shell-call";
import { agentCommand } from "../engine/agent-command";
import { checkRequest } from "../engine/check-args";
import type { AgentRef } from "../engine/server-ref";
import { sha256 } from "../engine/digest";
import applyParameters from "./apply-parameters.sh";

/** Applies PostgreSQL's parameters: by a reload, and by a restart if PostgreSQL needs one. */
export function parametersCommand(
  server: AgentRef,
  settings: ParameterValues,
): command.local.CommandArgs {
  const declared = sha256(renderParameters(settings));
  return agentCommand(server, {
    verb: "settings",
    request: checkRequest(`postgres.settings of ${server.server}`, parametersRequestSchema, {
      server: server.server,
      settings,
    }),
    isUpToDate: ({ settings: seen }) =>
      seen.sha256 === declared && parametersDrift(seen).length === 0,
    text: scriptText(applyParameters),
  });
}
