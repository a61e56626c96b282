import type * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { archiveWarnings, isArchiveUpToDate } from "../../model/point-in-time/drift";
import { archiveRequestSchema } from "../../model/point-in-time/protocol";
import { archiveConfig, type PointInTimeConfig } from "../../model/stack-file/point-in-time";
import { agentCommand } from "../engine/agent-command";
import type { AgentRef } from "../engine/server-ref";
import type { ObservedState } from "../engine/server-state";

/** Switches archiving on or off. It is a resource also while off, so that taking the section out switches it off. */
export function archiveCommand(
  server: AgentRef,
  settings: PointInTimeConfig | undefined,
): command.local.CommandArgs {
  const archive = settings ? archiveConfig(settings) : null;
  return agentCommand(server, {
    area: "archive",
    request: JSON.stringify(archiveRequestSchema.parse({ server: server.server, archive })),
    isUpToDate: (seen) => isArchiveUpToDate(seen.archive, archive),
  });
}

/** Says at preview what of the archive is not as it should be. */
export function logArchiveDrift(
  component: pulumi.Resource,
  observed: Promise<ObservedState>,
): void {
  void observed.then(({ observation }) => {
    const warnings = observation ? archiveWarnings(observation.archive) : [];
    for (const text of warnings) void pulumi.log.warn(text, component);
  });
}
