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
  type UnreachableViews,
} from "../../model/restore/protocol";
import { stackReport } from "../../model/restore/stack-report";
import { type StackReport } from "../../model/restore/stack-report";
import { restoreIdFor } from "../../model/observation/restore-id";
import { databaseSchema } from "../../model/stack-file/schema";
import type { Upgrades } from "../../model/upgrades/protocol";
import { scriptText } from "../../engine/shell-call";
import { checkArgs, checkRequest, parseAnswer } from "../engine/check-args";
import { givenName, logAdvice } from "../engine/given-name";
import { onHost } from "../engine/host";
import { protectedCommand } from "../engine/protection";
import { logRefreshPlan } from "./refresh-plan";
import restoreBackup from "./restore-backup.sh";
import restoreFile from "./restore-file.sh";
import restoreFolder from "./restore-folder.sh";
import type { Contents } from "./dump";
import type { ServerRef } from "../engine/server-ref";

/** Arguments that every database has. */
export interface DatabaseArgs {
  /** Name of the database, and of the application's login role. Another name creates another database; the old one stays. */
  readonly name: string;
  /** How to handle roles that the dump names and the server lacks. @default "leave out" */
  readonly roles?: RolesChoice | undefined;
  /** Encoding of the dump's text where the dump says `SQL_ASCII`, e.g. `"LATIN1"`. @default that of the dump */
  readonly encoding?: string | undefined;
  /** Locale, where the dump names none or one that the server lacks, e.g. `"de_DE.UTF-8"`. @default that of the dump */
  readonly locale?: string | undefined;
  /** What to do about materialized views of foreign servers that cannot be reached. @default "fail" */
  readonly unreachableViews?: UnreachableViews | undefined;
  /** How many previous versions of the database are kept for a rollback, 0 to 5. @default 1 */
  readonly keepPrevious?: number | undefined;
}

/** What is done to contents before anyone can connect to them. */
export interface PrepareArgs {
  /** Upgrade scripts of the code, and how to find out which of them the data has had already. @default none */
  readonly upgrades?: Upgrades | undefined;
  /** Masks by column. @default no column is masked */
  readonly masks?: Masks | undefined;
  /** Statements that make the copy harmless: no mail, no jobs, no tokens. @default none */
  readonly defuse?: Defuse | undefined;
  /** Tables, or rows of them, that are preserved from the replaced contents. @default none */
  readonly keep?: readonly PreserveRule[] | undefined;
}

/** The storage of a server's own off-site copies: `remote` and `options` of `backups.offsite`. */
export interface OffsiteCopies {
  /** rclone backend and path. */
  readonly remote: string;
  /** Options of the backend; passwords and keys among them are secrets. */
  readonly options?: Readonly<Record<string, string>> | undefined;
}

/** Arguments of {@link Database}. */
export interface DatabaseResourceArgs extends Omit<DatabaseArgs, "name"> {
  /** Its server. */
  readonly server: ServerRef;
  /**
   * Name of the database on its server. Set it to rename the resource; with only `aliases` the database keeps the earlier name
   * while the alias is there. @default the resource's name
   */
  readonly database?: string | undefined;
  /** Its contents. */
  readonly contents: Contents;
  /** What is done to the contents before the swap. @default nothing */
  readonly prepare?: PrepareArgs | undefined;
  /** For `when missing`: where the server's own off-site copies are, which may have newer contents. @default none */
  readonly ownCopies?: OffsiteCopies | undefined;
  /** `replace`: other contents replace the database. `when missing`: contents are used only while the database is missing. */
  readonly mode: RestoreRequest["mode"];
}

/**
 * A database with the contents of a dump or backup. It has the name of the resource, unless `database` is given.
 *
 * The preview shows other contents, or a dropped database, as an update. A failed restore fails the update and leaves the
 * database unchanged.
 *
 * ```ts
 * const contents = backupContents({ repository: "stagecraft-prod-backups", backup: "20261121T032900Z" });
 * new Database("timesheets", { server, contents, mode: "replace" });
 * ```
 */
export class Database extends pulumi.ComponentResource {
  /** Its name. */
  readonly name: string;

  /** Id of the restore that created it. Another id means that the contents were replaced. */
  readonly restoreId: pulumi.Output<string>;

  /** Result of the last restore, as text. */
  readonly verdict: pulumi.Output<string>;

  /** The last restore: source, duration of each step, and what was done to the contents; contains no values of the data. */
  readonly report: pulumi.Output<StackReport>;

  constructor(name: string, args: DatabaseResourceArgs, opts?: pulumi.ComponentResourceOptions) {
    const { server, contents, mode } = args;
    const given = givenName(`Database "${name}"`, "database", name, args.database, opts);
    const database = given.name;
    const restoreId = pulumi
      .output(server.observed)
      .apply(({ observation }) => restoreIdFor(database, contents.source, observation, mode));
    const { name: file, backup, sha256, repository } = contents.source;
    // Shown at preview when they change.
    const dump = repository === undefined ? file : undefined;
    super("stagecraft:index:Database", name, { dump, backup, sha256, restoreId }, opts);

    this.name = database;
    this.restoreId = restoreId;
    const { roles, encoding, locale, unreachableViews, keepPrevious } = args;
    const settings = checkArgs(`Database "${name}": database`, databaseSchema, {
      ...{ name: database, roles, encoding, locale, unreachableViews, keepPrevious },
    });
    const request = (id: string): RestoreRequest =>
      checkRequest(`Database "${name}"`, restoreRequestSchema, {
        server: server.server,
        kind: server.kind,
        database,
        source: contents.source,
        restoreId: id,
        mode,
        roles: settings.roles,
        encoding: settings.encoding,
        locale: settings.locale,
        unreachableViews: settings.unreachableViews,
        prepare: args.prepare && definedParts(args.prepare),
        keepPrevious: settings.keepPrevious,
        acceptUnverified: contents.acceptUnverified,
        acceptKind: contents.acceptKind,
        acceptSchemaOnly: contents.acceptSchemaOnly,
        signedBy: contents.signedBy,
        accept: contents.accept,
        offsite: contents.offsite,
        ...(mode === "when missing" && {
          ownCopies: args.ownCopies,
          acceptOlder: contents.acceptOlder,
        }),
      });
    const stdin = restoreId.apply((id) => JSON.stringify(request(id)));
    const restore = new command.local.Command(
      `${name}-restore`,
      protectedCommand(
        server,
        "destroy",
        onHost(server.host, {
          create: commandFor(contents),
          environment: {
            AGENT: server.names.agent,
            AGENT_ID: server.agentId,
            DATABASE: database,
            RESTORE_ID: restoreId,
            ...(contents.path !== undefined && {
              DUMP: contents.path,
              MODE: mode.replace(" ", "-"),
              SHA256: sha256 ?? "",
            }),
          },
          stdin: contents.offsite || args.ownCopies ? pulumi.secret(stdin) : stdin,
          logging: command.local.Logging.Stderr,
          addPreviousOutputInEnv: false,
        }),
      ),
      { parent: this, dependsOn: server.ready },
    );
    // The answer has no secrets, although the request may.
    const answer = pulumi
      .unsecret(restore.stdout)
      .apply((text) => parseAnswer(server.server, restoreResultSchema, text));
    this.verdict = answer.apply(({ text }) => text);
    this.report = answer.apply(stackReport);
    logAdvice(this, given);
    void server.observed.then(({ observation }) => {
      logExistingDatabase(this, database, args, observation);
      const isUpToDate = isInPlace(database, args, observation);
      if (observation && !isUpToDate) logRefreshPlan(this, server, request("preview"));
    });
    this.registerOutputs({ verdict: this.verdict, report: this.report });
  }
}

/** A backup need not be sent: the agent reads it. */
function commandFor({ path, isFolder = false }: Contents): string {
  if (path === undefined) return scriptText(restoreBackup);
  return scriptText(isFolder ? restoreFolder : restoreFile);
}

/** Without undefined parts; `undefined` when all are. */
function definedParts(prepare: PrepareArgs): PrepareArgs | undefined {
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

function logExistingDatabase(
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
      `${name} is not on ${server.server}: it will be restored from ${source.name}`,
      database,
    );
  } else if (mode === "when missing" && !hasContents(found.stamp, source)) {
    const text = `${name} exists on ${server.server} and stays unchanged: ${source.name} is only used when it is missing`;
    void pulumi.log.info(text, database);
  }
}
