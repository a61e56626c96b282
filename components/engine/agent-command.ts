import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { RequestOf, Verb } from "../../contract/verb";
import { verbs, type VerbName, type VerbOf } from "../../contract/verbs";
import { shellCall } from "../../engine/shell-call";
import {
  desiredGeneration,
  type Area,
  type Observation,
} from "../../model/observation/observation";
import { onHost } from "./host";
import type { AgentRef } from "./server-ref";

/** What the agent of a server applies. */
export interface AgentCommandArgs<Name extends VerbName> {
  /** The verb of the agent. */
  readonly verb: Name;
  /** What is applied. @default the area of the verb */
  readonly area?: Area;
  readonly request: pulumi.Input<RequestOf<VerbOf<Name>>>;
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
export function agentCommand<Name extends VerbName>(
  server: AgentRef,
  args: AgentCommandArgs<Name>,
): command.local.CommandArgs {
  const { verb, request, isUpToDate, undo } = args;
  const { text = `exec ${shellCall(verb, '"$GENERATION"')}` } = args;
  const area = args.area ?? areaOf(verb);
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
    stdin: pulumi.output(request).apply((value) => JSON.stringify(value)),
    logging: command.local.Logging.Stderr,
    addPreviousOutputInEnv: false,
  });
}

/** The generation of an area to apply; a new one whenever the observed state differs from the request. */
export function generationOf(
  { observed }: Pick<AgentRef, "observed">,
  area: Area,
  isUpToDate: AgentCommandArgs<VerbName>["isUpToDate"],
): pulumi.Output<string> {
  return pulumi.output(observed).apply(({ observation, isFailing = false }) =>
    // The last generation is not known, and the call must not be skipped.
    isFailing ? secondsNow() : String(desiredGeneration(area, observation, isUpToDate)),
  );
}

const secondsNow = (): string => String(Math.floor(Date.now() / 1000));

function areaOf(name: VerbName): Area {
  const { area }: Verb = verbs[name];
  if (area) return area;
  throw new Error(`${name} applies no area`);
}
