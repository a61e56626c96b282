import * as pulumi from "@pulumi/pulumi";
import type { ServerKind } from "../../model/base/names";
import type { StackReport } from "../../model/restore/stack-report";
import { Application } from "../application/application";
import { BackupSchedule } from "../backups/backup-schedule";
import {
  Database,
  type DatabaseResourceArgs,
  type OffsiteCopies,
  type PrepareArgs,
} from "../contents/database";
import { volumeOf, type Contents } from "../contents/dump";
import { givenName, logAdvice } from "../engine/given-name";
import { ownCopiesSchema } from "../../model/restore/offsite-source";
import { PostgresServer } from "../postgres/postgres-server";
import type { ServerArgs } from "./server-args";

/** How one kind of server differs from another. */
export interface ServerProfile {
  readonly kind: ServerKind;
  /** What the database is restored from. */
  readonly contents: Contents;
  /** When it is restored. */
  readonly mode: DatabaseResourceArgs["mode"];
  /** What is done to the contents before the swap. @default nothing */
  readonly prepare?: PrepareArgs | undefined;
  /** Whether WAL can be archived. @default true */
  readonly archivable?: boolean | undefined;
  /** Whether the volumes stay on the engine when the stack is destroyed. @default false */
  readonly keepVolumes?: boolean | undefined;
}

/**
 * PostgreSQL with the agent, one database, its backups and, where there is one, the application. Each kind of server is
 * this component with a type and arguments of its own and a {@link ServerProfile}.
 */
export abstract class Server extends pulumi.ComponentResource {
  /** PostgreSQL and the agent. */
  readonly postgres: PostgresServer;
  /** The managed database. */
  readonly database: Database;
  /** The application, where the server has one. */
  readonly application: Application | undefined;
  /** The last restore step by step, and the state of the application after it. */
  readonly report: pulumi.Output<StackReport>;

  protected constructor(
    type: string,
    name: string,
    args: ServerArgs,
    { kind, contents, mode, prepare, archivable, keepVolumes }: ServerProfile,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super(type, name, {}, opts);
    const what = `${type.split(":").at(-1) ?? type} "${name}"`;
    const given = givenName(what, "server", name, args.server, opts);
    logAdvice(this, given);
    const {
      name: database,
      roles,
      encoding,
      locale,
      unreachableViews,
      keepPrevious,
    } = args.database;
    const { passwords, people, application } = args;
    const server = new PostgresServer(
      name,
      {
        kind,
        server: given.name,
        namePrefix: args.namePrefix,
        host: args.host,
        postgres: args.postgres,
        pgHba: args.pgHba,
        tls: args.tls,
        backupsOf: volumeOf(contents),
        archivable,
        roles: { database, passwords, people },
        keepVolumes,
      },
      { parent: this },
    );
    this.postgres = server;
    this.database = new Database(
      database,
      {
        ...{ roles, encoding, locale, unreachableViews, keepPrevious, server, contents },
        ...{ prepare, mode },
        ownCopies: mode === "when missing" ? ownCopies(args.backups) : undefined,
      },
      { parent: this },
    );
    new BackupSchedule(`${name}-backups`, { ...args.backups, server }, { parent: this });
    this.application =
      application &&
      new Application(
        `${name}-application`,
        {
          ...application,
          server,
          database: this.database,
          password: pulumi.output(passwords).apply((all) => all.application),
        },
        { parent: this },
      );
    this.report = reportOf(this.database, this.application);
    this.registerOutputs();
  }
}

/** Where the off-site copies of the server's backups are. */
function ownCopies({ offsite }: ServerArgs["backups"] = {}): OffsiteCopies | undefined {
  // What is wrong with the section is an error of the schedule of the backups.
  return (
    offsite && ownCopiesSchema.safeParse({ remote: offsite.remote, options: offsite.options }).data
  );
}

function reportOf(
  database: Database,
  application: Application | undefined,
): pulumi.Output<StackReport> {
  if (!application) return database.report;
  return pulumi
    .all([database.report, application.report])
    .apply(([report, found]) => ({ ...report, application: found }));
}
