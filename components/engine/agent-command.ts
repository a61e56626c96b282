import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import {
  desiredGeneration,
  type Area,
  type Observation,
} from "../../model/observation/observation";
import { onHost } from "./host";
import type { AgentRef } from "./server-ref";

/** What the agent of a server applies. */
export interface AgentCommandArgs {
  readonly area: Area;
  /** The verb of the agent. @default the area's name */
  readonly verb?: string;
  /** The request, as JSON. */
  readonly request: pulumi.Input<string>;
  /** Whether the observed state is what the request asks for. */
  readonly isUpToDate: (seen: Observation) => boolean;
  /** The command's text, where it is more than one call of the verb; the request is its stdin. */
  readonly text?: string;
  /** The command's text when the resource is deleted. @default nothing is done */
  readonly undo?: string;
}

/**
 * Calls the agent of a server: when the resource is new, when the request or a container changed, and when the observed state
 * differs from the request. The request is sent on stdin only.
 */
export function agentCommand(
  server: AgentRef,
  { area, verb = area, request, isUpToDate, text = call(verb), undo }: AgentCommandArgs,
): command.local.CommandArgs {
  return onHost(server.host, {
    create: text,
    ...(undo !== undefined && { delete: undo }),
    environment: {
      AGENT: server.names.agent,
      POSTGRES: server.names.postgres,
      AGENT_ID: server.agentId,
      POSTGRES_ID: server.postgresId,
      GENERATION: generationOf(server, area, isUpToDate),
    },
    stdin: request,
    logging: command.local.Logging.Stderr,
    addPreviousOutputInEnv: false,
  });
}

/** The generation of an area to apply; a new one whenever the observed state differs from the request. */
export function generationOf(
  { observed }: Pick<AgentRef, "observed">,
  area: Area,
  isUpToDate: AgentCommandArgs["isUpToDate"],
): pulumi.Output<string> {
  return pulumi
    .output(observed)
    .apply(({ observation }) => String(desiredGeneration(area, observation, isUpToDate)));
}

function call(verb: string): string {
  return `exec docker exec -i "$AGENT" stagecraft-agent ${verb} "$GENERATION"`;
}
