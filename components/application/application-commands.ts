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
import { agentCommand } from "../engine/agent-command";
import { applicationFiles, stopSeconds } from "./application-container";
import type { Database } from "../contents/database";
import { onHost } from "../engine/host";
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

// By a container that lives for a moment, has no network, and may do nothing but give a file away. The password is a line
// of its stdin, and never an argument.
const putFiles = `docker run --rm --interactive --network none --log-driver none --read-only --user 0:0 \\
  --cap-drop ALL --cap-add CHOWN --security-opt no-new-privileges \\
  --volume "$VOLUME:/files" --entrypoint sh "$IMAGE" -euc '
    umask 077
    cd /files
    IFS= read -r line
    printf "%s\\n" "$line" > ${applicationFiles.password}.partial
    cat > ${applicationFiles.ca}.partial
    chmod 444 ${applicationFiles.ca}.partial
    chown "$1:$1" ${applicationFiles.password}.partial
    sync
    for file in ${applicationFiles.password} ${applicationFiles.ca}; do mv "$file.partial" "$file"; done
  ' sh "$OWNER"`;

/** Puts the password, and what the server's certificate is checked with, where the application alone reads them. */
export function filesCommand(
  server: ApplicationServer,
  { password, user, createdAt }: FilesArgs,
): command.local.CommandArgs {
  const files = pulumi
    .all([password, server.ca])
    .apply(([secret, ca]) => `${renderPassfile(secret)}${ca ?? ""}`);
  return onHost(server.host, {
    create: putFiles,
    environment: {
      ...{ VOLUME: server.names.applicationVolume, IMAGE: server.image, OWNER: String(user) },
      MADE: createdAt,
    },
    stdin: pulumi.secret(files),
    logging: command.local.Logging.Stderr,
    addPreviousOutputInEnv: false,
  });
}

/** Which application it is, for the agent. */
export interface ToldArgs {
  readonly revision: string;
  readonly settings: ApplicationConfig;
}

/** Tells the agent which application the server has: for manifests of backups, and to look after it. */
export function registerCommand(
  server: ApplicationServer,
  { revision, settings: { healthPath, internalPort } }: ToldArgs,
): command.local.CommandArgs {
  const url =
    healthPath === undefined
      ? undefined
      : `http://${server.names.application}:${internalPort}${healthPath}`;
  return agentCommand(server, {
    area: "application",
    request: JSON.stringify(
      applicationRequestSchema.parse({ server: server.server, revision, url }),
    ),
    isUpToDate: ({ application }) => application?.revision === revision && application.url === url,
    // The agent may be gone by then, as with the whole server.
    undo: 'docker exec "$AGENT" stagecraft-agent application-forget > /dev/null 2>&1 || true',
  });
}

/** What the application is looked at for. */
export interface CheckArgs extends ToldArgs {
  readonly database: Database;
  /** Id of its container. */
  readonly containerId: pulumi.Input<string>;
}

// The agent has no right over containers: it says what is to be done, and judges what this finds.
const check = `set -eu
request=$(cat)
ask() { docker exec -i "$AGENT" stagecraft-agent "$@"; }
container() { docker inspect --format "{{$1}}" "$APPLICATION"; }
restarted=not-restarted
due=$(ask application-due "$DATABASE" "$(container .State.StartedAt)")
case "$due $(container .State.Status)" in
  *'"restart":true'* | *restarting)
    echo "restart of the application …" >&2
    docker restart --time "$GRACE" "$APPLICATION" > /dev/null
    restarted=restarted
    ;;
esac
started=$(container .State.StartedAt)
restarts=$(container .RestartCount)
begun=$(date +%s)
waited() { echo $(($(date +%s) - begun)); }
say() { found="{\\"problem\\":$1,\\"seconds\\":$(waited)}"; }
is_well() {
  state=$(container '.State.Status}}{{with .State.Health}} {{.Status}}{{end')
  case $state in
    running | 'running healthy') say null ;;
    *) say "\\"its container is $state\\"" ;;
  esac
  if [ "$HEALTH" = path ]; then found=$(ask application-health "$(waited)"); fi
  case $found in *'"problem":null'*) return 0 ;; esac
  return 1
}
until is_well; do
  if [ "$(container .RestartCount)" -ge $((restarts + 3)) ]; then
    say "\\"it ends again and again, with status $(container .State.ExitCode)\\""
    break
  fi
  if [ "$(waited)" -ge "$LIMIT" ]; then break; fi
  sleep 0.2
done
case $found in *'"problem":null'*)
  # One that nobody can ask must at least go on running.
  if [ "$restarted" = restarted ] || [ "$HEALTH" = container ]; then
    well=$found
    sleep "$WATCH"
    if is_well; then found=$well; fi
  fi
  ;;
esac
{ printf '%s\\n' "$request"; docker logs --timestamps --tail 20000 "$APPLICATION" 2>&1; } |
  ask application-report "$restarted" "$started" "$found"`;

/** Restarts the application when its database has other contents, waits until it is well, and looks at its log. */
export function checkCommand(
  server: ApplicationServer,
  { database, containerId, revision, settings }: CheckArgs,
): command.local.CommandArgs {
  const { healthPath, healthLimit, watch, errorPattern = defaultErrorPattern } = settings;
  return onHost(server.host, {
    create: check,
    environment: {
      ...{ AGENT: server.names.agent, APPLICATION: server.names.application },
      APPLICATION_ID: containerId,
      DATABASE: database.name,
      // Another one means other contents.
      RESTORE_ID: database.restoreId,
      HEALTH: healthPath === undefined ? "container" : "path",
      LIMIT: String(parseDuration(healthLimit)),
      WATCH: String(parseDuration(watch)),
      GRACE: String(stopSeconds),
    },
    stdin: JSON.stringify(
      applicationReportRequestSchema.parse({
        ...{ server: server.server, database: database.name, revision, errorPattern },
        container: server.names.application,
      }),
    ),
    logging: command.local.Logging.Stderr,
    addPreviousOutputInEnv: false,
  });
}
