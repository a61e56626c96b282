import type * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { archiveWarnings, isArchiveUpToDate } from "../../model/point-in-time/drift";
import { archiveRequestSchema } from "../../model/point-in-time/protocol";
import { archiveConfig, type PointInTimeConfig } from "../../model/stack-file/point-in-time";
import { agentCommand } from "../engine/agent-command";
import { checkRequest } from "../engine/check-args";
import type { AgentRef } from "../engine/server-ref";
import type { ObservedState } from "../engine/server-state";

/** Switches WAL archiving on or off. The resource exists also while it is off, so that removing the section switches it off. */
export function archiveCommand(
  server: AgentRef,
  settings: PointInTimeConfig | undefined,
): command.local.CommandArgs {
  const archive = settings ? archiveConfig(settings) : null;
  return agentCommand(server, {
    verb: "archive",
    request: checkRequest(`pointInTime of ${server.server}`, archiveRequestSchema, {
      server: server.server,
      archive,
    }),
    isUpToDate: (seen) => isArchiveUpToDate(seen.archive, archive),
  });
}

/** Logs at preview how the WAL archive differs from the stack. */
export function logArchiveDrift(
  component: pulumi.Resource,
  observed: Promise<ObservedState>,
): void {
  void observed.then(({ observation }) => {
    const warnings = observation ? archiveWarnings(observation.archive) : [];
    for (const text of warnings) void pulumi.log.warn(text, component);
  });
}
