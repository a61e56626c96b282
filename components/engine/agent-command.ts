import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import {
  desiredGeneration,
  type Area,
  type Observation,
} from "../../model/observation/observation";
import { onHost } from "./host";
import type { AgentRef } from "./server-ref";

/** What the agent of a server is asked to put in force. */
export interface AgentCommandArgs {
  readonly area: Area;
  /** The verb of the agent. @default the area's name */
  readonly verb?: string;
  /** The request, as JSON. */
  readonly request: pulumi.Input<string>;
  /** Whether what the agent sees is what the request asks for. */
  readonly isUpToDate: (seen: Observation) => boolean;
  /** The command's text, where it is more than one call of the verb; the request is its stdin. */
  readonly text?: string;
  /** The command's text when it is taken away. @default nothing is done */
  readonly undo?: string;
}

/**
 * Asks the agent of a server for something: when it is new, when the request changes, when a container is another one,
 * and when what the agent sees is not as wanted. The request travels on stdin alone.
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

/** The generation of an area that is asked for; another one whenever what the agent sees is not as wanted. */
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
