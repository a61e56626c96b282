import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { Defuse } from "../../model/defuse/statement";
import type { PreserveRule } from "../../model/preserve/protocol";
import type { Masks } from "../../model/masks/mask";
import { type Observation } from "../../model/observation/observation";
import {
  hasContents,
  restoreRequestSchema,
  restoreResultSchema,
  type RestoreRequest,
  type RolesChoice,
} from "../../model/restore/protocol";
import { stackReport } from "../../model/restore/stack-report";
import { type StackReport } from "../../model/restore/stack-report";
import { restoreIdFor } from "../../model/observation/restore-id";
import { databaseSchema } from "../../model/stack-file/schema";
import type { Upgrades } from "../../model/upgrades/protocol";
import { checkArgs } from "../engine/check-args";
import { onHost } from "../engine/host";
import { logRefreshPlan } from "./refresh-plan";
import type { Contents } from "./dump";
import type { ServerRef } from "../engine/server-ref";

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
  /** How many former copies of the database stay for a rollback, 0 to 5. @default 1 */
  readonly keepPrevious?: number | undefined;
}

/** What is done to contents before anybody may connect to them. */
export interface PrepareArgs {
  /** Upgrade scripts of the code, with how they are told from those that the data has been through. @default none */
  readonly upgrades?: Upgrades | undefined;
  /** What columns become. @default they stay */
  readonly masks?: Masks | undefined;
  /** What the copy must not do or know. @default nothing */
  readonly defuse?: Defuse | undefined;
  /** Tables, or rows of them, that are carried over from the contents that are replaced. @default none */
  readonly keep?: readonly PreserveRule[] | undefined;
}

/** What {@link Database} is made of. */
export interface DatabaseResourceArgs extends Omit<DatabaseArgs, "name"> {
  /** The server it is on. */
  readonly server: ServerRef;
  /** Its contents. */
  readonly contents: Contents;
  /** What is done to the contents before they take the database's name. @default nothing */
  readonly prepare?: PrepareArgs | undefined;
  /** `replace`: others replace the contents. `when missing`: they are used only while there is no such database. */
  readonly mode: RestoreRequest["mode"];
}

/**
 * A database with the contents of a dump or backup. The name of the resource is the name of the database.
 *
 * What a change of it means is seen at preview: others are an update, and so is a database that somebody dropped.
 * A failed restore fails the update and leaves the contents as they were.
 *
 * ```ts
 * const contents = backupContents({ repository: "stagecraft-prod-backups", backup: "20261121T032900Z" });
 * new Database("timesheets", { server, contents, mode: "replace" });
 * ```
 */
export class Database extends pulumi.ComponentResource {
  /** Its name. */
  readonly name: string;

  /** Another one means that the contents were replaced. */
  readonly restoreId: pulumi.Output<string>;

  /** What became of the last restore, for people. */
  readonly verdict: pulumi.Output<string>;

  /** What the last restore brought, how long each step took, and what was done to the contents; without any of their values. */
  readonly report: pulumi.Output<StackReport>;

  constructor(name: string, args: DatabaseResourceArgs, opts?: pulumi.ComponentResourceOptions) {
    const { server, contents, mode } = args;
    const restoreId = pulumi
      .output(server.observed)
      .apply(({ observation }) => restoreIdFor(name, contents.source, observation, mode));
    const { name: file, backup, sha256, repository } = contents.source;
    // These are shown at preview when they change.
    const dump = repository === undefined ? file : undefined;
    super("stagecraft:index:Database", name, { dump, backup, sha256, restoreId }, opts);

    this.name = name;
    this.restoreId = restoreId;
    const { roles, encoding, locale, keepPrevious } = args;
    const settings = checkArgs(`Database "${name}": database`, databaseSchema, {
      ...{ name, roles, encoding, locale, keepPrevious },
    });
    const request = (id: string): string =>
      JSON.stringify(
        restoreRequestSchema.parse({
          server: server.server,
          kind: server.kind,
          database: name,
          source: contents.source,
          restoreId: id,
          mode,
          roles: settings.roles,
          encoding: settings.encoding,
          locale: settings.locale,
          prepare: args.prepare && wanted(args.prepare),
          keepPrevious: settings.keepPrevious,
          acceptUnverified: contents.acceptUnverified,
          acceptKind: contents.acceptKind,
          offsite: contents.offsite,
        }),
      );
    const restore = new command.local.Command(
      `${name}-restore`,
      onHost(server.host, {
        create: commandFor(contents),
        environment: {
          AGENT: server.names.agent,
          AGENT_ID: server.agentId,
          DATABASE: name,
          RESTORE_ID: restoreId,
          ...(contents.path !== undefined && {
            DUMP: contents.path,
            MODE: mode.replace(" ", "-"),
            SHA256: sha256 ?? "",
          }),
        },
        stdin: contents.offsite
          ? pulumi.secret(restoreId.apply(request))
          : restoreId.apply(request),
        logging: command.local.Logging.Stderr,
        addPreviousOutputInEnv: false,
      }),
      { parent: this, dependsOn: server.ready },
    );
    const answer = restore.stdout.apply((text) => restoreResultSchema.parse(JSON.parse(text)));
    this.verdict = answer.apply(({ text }) => text);
    this.report = answer.apply(stackReport);
    void server.observed.then(({ observation }) => {
      tellWhatIsFound(this, name, args, observation);
      const isWanted = isInPlace(name, args, observation);
      if (observation && !isWanted) logRefreshPlan(this, server, request("preview"));
    });
    this.registerOutputs({ verdict: this.verdict, report: this.report });
  }
}

// The dump first, where the agent has not got it; then the request, from the command's own stdin.
const receive = 'docker exec -i "$AGENT" stagecraft-agent receive "$SHA256" "$DATABASE" "$MODE"';
const restore = 'exec docker exec -i "$AGENT" stagecraft-agent restore';
const restoreFile = `${receive} < "$DUMP" && ${restore}`;
const restoreFolder = `tar -C "$DUMP" -cf - . | ${receive} --folder && ${restore}`;

/** A backup need not be handed over: the agent finds it. */
function commandFor({ path, isFolder = false }: Contents): string {
  if (path === undefined) return restore;
  return isFolder ? restoreFolder : restoreFile;
}

/** Without the parts that are not asked for; `undefined` when none is. */
function wanted(prepare: PrepareArgs): PrepareArgs | undefined {
  const parts = Object.entries(prepare).filter(([, part]) => part !== undefined);
  return parts.length === 0 ? undefined : Object.fromEntries(parts);
}

/** Whether there is nothing to do: the contents are there, or production has contents. */
function isInPlace(
  name: string,
  { contents, mode }: DatabaseResourceArgs,
  observation: Observation | undefined,
): boolean {
  const live = observation?.databases.find((facts) => facts.name === name);
  return (
    live !== undefined && (mode === "when missing" || hasContents(live.stamp, contents.source))
  );
}

function tellWhatIsFound(
  database: Database,
  name: string,
  { server, contents, mode }: DatabaseResourceArgs,
  observation: Observation | undefined,
): void {
  if (!observation) return;
  const found = observation.databases.find((facts) => facts.name === name);
  const { source } = contents;
  if (!found) {
    void pulumi.log.info(
      `${name} is not on ${server.server}: it is made of ${source.name}`,
      database,
    );
  } else if (mode === "when missing" && !hasContents(found.stamp, source)) {
    const text = `${name} is on ${server.server} and stays as it is: ${source.name} is for when it is missing`;
    void pulumi.log.info(text, database);
  }
}
