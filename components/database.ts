import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { type Observation } from "../model/observation";
import {
  restoreRequestSchema,
  restoreResultSchema,
  type RestoreRequest,
  type RolesChoice,
} from "../model/protocol";
import { restoreIdFor } from "../model/restore-id";
import { databaseSchema } from "../model/settings/schema";
import { checkArgs } from "./check-args";
import { onHost } from "./host";
import type { Dump } from "./machine/dump";
import type { PostgresServer } from "./postgres-server";

/** What every database has. */
export interface DatabaseArgs {
  /** Name of the database, and of the role that the application logs in as. Another name makes another database; the old one stays. */
  readonly name: string;
  /** What becomes of roles that the dump names and the server has not. @default "leave out" */
  readonly roles?: RolesChoice | undefined;
  /** What the dump's text is encoded in, where the dump says `SQL_ASCII`, e.g. `"LATIN1"`. @default what the dump says */
  readonly encoding?: string | undefined;
  /** Locale, where the dump names none or one that the server has not, e.g. `"de_DE.UTF-8"`. @default what the dump says */
  readonly locale?: string | undefined;
}

/** A server, as far as a database needs it: one of ours, or an `ExternalPostgres`. */
export type DatabaseServer = Pick<
  PostgresServer,
  "server" | "kind" | "host" | "names" | "agentId" | "ready" | "sight"
>;

/** What {@link Database} is made of. */
export interface DatabaseResourceArgs extends Omit<DatabaseArgs, "name"> {
  /** The server it is on. */
  readonly server: DatabaseServer;
  /** Its contents. */
  readonly dump: Dump;
  /** `replace`: another dump replaces the contents. `when missing`: a dump is used only while there is no such database. */
  readonly mode: RestoreRequest["mode"];
}

/**
 * A database with the contents of a dump. The name of the resource is the name of the database.
 *
 * What a change of it means is seen at preview: another dump is an update, and so is a database that somebody dropped.
 * A failed restore fails the update and leaves the contents as they were.
 *
 * ```ts
 * new Database("timesheets", { server, dump: readDump(folder, "timesheets.sql"), mode: "replace" });
 * ```
 */
export class Database extends pulumi.ComponentResource {
  /** What became of the last restore, for people. */
  readonly verdict: pulumi.Output<string>;

  constructor(name: string, args: DatabaseResourceArgs, opts?: pulumi.ComponentResourceOptions) {
    const { server, dump, mode } = args;
    const restoreId = pulumi
      .output(server.sight)
      .apply(({ observation }) => restoreIdFor(name, dump.source, observation, mode));
    const { name: file, backup, sha256 } = dump.source;
    // These are shown at preview when they change.
    super("stagecraft:index:Database", name, { dump: file, backup, sha256, restoreId }, opts);

    const { roles, encoding, locale } = args;
    const settings = checkArgs(`Database "${name}": database`, databaseSchema, {
      ...{ name, roles, encoding, locale },
    });
    const restore = new command.local.Command(
      `${name}-restore`,
      onHost(server.host, {
        create: dump.isFolder ? restoreFolder : restoreFile,
        environment: {
          AGENT: server.names.agent,
          AGENT_ID: server.agentId,
          DATABASE: name,
          DUMP: dump.path,
          MODE: mode.replace(" ", "-"),
          RESTORE_ID: restoreId,
          SHA256: sha256,
        },
        stdin: restoreId.apply((id) =>
          JSON.stringify(
            restoreRequestSchema.parse({
              server: server.server,
              kind: server.kind,
              database: name,
              source: dump.source,
              restoreId: id,
              mode,
              roles: settings.roles,
              encoding: settings.encoding,
              locale: settings.locale,
            }),
          ),
        ),
        logging: command.local.Logging.Stderr,
        addPreviousOutputInEnv: false,
      }),
      { parent: this, dependsOn: server.ready },
    );
    this.verdict = restore.stdout.apply(verdictOf);
    void server.sight.then(({ observation }) => {
      tellWhatIsFound(this, name, args, observation);
    });
    this.registerOutputs({ verdict: this.verdict });
  }
}

// The dump first, where the agent has not got it; then the request, from the command's own stdin.
const receive = 'docker exec -i "$AGENT" stagecraft-agent receive "$SHA256" "$DATABASE" "$MODE"';
const restore = 'exec docker exec -i "$AGENT" stagecraft-agent restore';
const restoreFile = `${receive} < "$DUMP" && ${restore}`;
const restoreFolder = `tar -C "$DUMP" -cf - . | ${receive} --folder && ${restore}`;

function verdictOf(stdout: string): string {
  return restoreResultSchema.parse(JSON.parse(stdout)).text;
}

function tellWhatIsFound(
  database: Database,
  name: string,
  { server, dump, mode }: DatabaseResourceArgs,
  observation: Observation | undefined,
): void {
  if (!observation) return;
  const found = observation.databases.find((facts) => facts.name === name);
  const { source } = dump;
  if (!found) {
    void pulumi.log.info(
      `${name} is not on ${server.server}: it is made of ${source.name}`,
      database,
    );
  } else if (mode === "when missing" && found.stamp?.source.sha256 !== source.sha256) {
    const text = `${name} is on ${server.server} and stays as it is: ${source.name} is for when it is missing`;
    void pulumi.log.info(text, database);
  }
}
