import type * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { archiveWarnings, isArchiveAsWanted } from "../../model/point-in-time/drift";
import { archiveRequestSchema } from "../../model/point-in-time/protocol";
import { archiveChoice, type PointInTimeSettings } from "../../model/stack-file/point-in-time";
import { agentCommand, type CommandedServer } from "../engine/agent-command";
import type { Sight } from "../engine/server-state";

/** Switches archiving on or off. It is a resource also while off, so that taking the section out switches it off. */
export function archiveCommand(
  server: CommandedServer & { readonly server: string },
  settings: PointInTimeSettings | undefined,
): command.local.CommandArgs {
  const archive = settings ? archiveChoice(settings) : null;
  return agentCommand(server, {
    area: "archive",
    request: JSON.stringify(archiveRequestSchema.parse({ server: server.server, archive })),
    isAsWanted: (seen) => isArchiveAsWanted(seen.archive, archive),
  });
}

/** Says at preview what of the archive is not as it should be. */
export function tellArchive(component: pulumi.Resource, sight: Promise<Sight>): void {
  void sight.then(({ observation }) => {
    const warnings = observation ? archiveWarnings(observation.archive) : [];
    for (const text of warnings) void pulumi.log.warn(text, component);
  });
}
