import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import {
  applicationReportRequestSchema,
  applicationRequestSchema,
} from "../../model/application/protocol";
import type { ApplicationConfig } from "../../model/stack-file/application";
import { defaultErrorPattern } from "../../model/application/signature";
import { renderPassfile } from "../../model/connection/passfile";
import { parseDuration } from "../../model/base/units";
import { scriptText, shellCall } from "../../engine/shell-call";
import { agentCommand } from "../engine/agent-command";
import { checkRequest } from "../engine/check-args";
import { stopSeconds } from "./application-container";
import type { Database } from "../contents/database";
import { onHost } from "../engine/host";
import checkApplication from "./check-application.sh";
import putFiles from "./put-files.sh";
import type { AgentRef } from "../engine/server-ref";

/** The server of an application. */
interface ApplicationServer extends AgentRef {
  /** The tag of the image with PostgreSQL and the agent. */
  readonly image: string;
  /** The CA that clients check the server's certificate with, as PEM; `null` for one that systems trust anyway. */
  readonly ca: pulumi.Output<string | null>;
}

/** What is put into the application's volume. */
export interface FilesArgs {
  readonly password: pulumi.Input<string>;
  /** Number of the user that may read the password. */
  readonly user: number;
  /** When the container was created: a recreated container gets its files again. */
  readonly createdAt: pulumi.Input<string>;
}

/** Puts the password and the CA of the server certificate into the application's volume. */
export function filesCommand(
  server: ApplicationServer,
  { password, user, createdAt }: FilesArgs,
): command.local.CommandArgs {
  const files = pulumi
    .all([password, server.ca])
    .apply(([secret, ca]) => `${renderPassfile(secret)}${ca ?? ""}`);
  return onHost(server.host, {
    create: scriptText(putFiles),
    environment: {
      VOLUME: server.names.applicationVolume,
      IMAGE: server.image,
      OWNER: String(user),
      MADE: createdAt,
    },
    stdin: pulumi.secret(files),
    logging: command.local.Logging.Stderr,
    addPreviousOutputInEnv: false,
  });
}

/** The revision of an application, and how it is run. */
export interface RevisionArgs {
  readonly revision: string;
  readonly settings: ApplicationConfig;
}

/** Registers the application with the agent: for the manifests of backups, and to observe its health. */
export function registerCommand(
  server: ApplicationServer,
  { revision, settings: { healthPath, internalPort } }: RevisionArgs,
): command.local.CommandArgs {
  const url =
    healthPath === undefined
      ? undefined
      : `http://${server.names.application}:${internalPort}${healthPath}`;
  return agentCommand(server, {
    verb: "application",
    request: checkRequest(`application of ${server.server}`, applicationRequestSchema, {
      server: server.server,
      revision,
      url,
    }),
    isUpToDate: ({ application }) => application?.revision === revision && application.url === url,
    // The agent may have been deleted before, with the whole server.
    undo: `${shellCall("application-forget")} > /dev/null 2>&1 || true`,
  });
}

/** What the application is checked with. */
export interface CheckArgs extends RevisionArgs {
  readonly database: Database;
  /** Id of its container. */
  readonly containerId: pulumi.Input<string>;
}

/** Restarts the application when its database has other contents, waits until it is healthy, and checks its log. */
export function checkCommand(
  server: ApplicationServer,
  { database, containerId, revision, settings }: CheckArgs,
): command.local.CommandArgs {
  const { healthPath, healthLimit, watch, errorPattern = defaultErrorPattern } = settings;
  return onHost(server.host, {
    create: scriptText(checkApplication),
    environment: {
      AGENT: server.names.agent,
      APPLICATION: server.names.application,
      APPLICATION_ID: containerId,
      DATABASE: database.name,
      // A new one means new contents.
      RESTORE_ID: database.restoreId,
      HEALTH: healthPath === undefined ? "container" : "path",
      LIMIT: String(parseDuration(healthLimit)),
      WATCH: String(parseDuration(watch)),
      GRACE: String(stopSeconds),
    },
    stdin: JSON.stringify(
      checkRequest(`application of ${server.server}`, applicationReportRequestSchema, {
        server: server.server,
        database: database.name,
        revision,
        errorPattern,
        container: server.names.application,
      }),
    ),
    logging: command.local.Logging.Stderr,
    addPreviousOutputInEnv: false,
  });
}
