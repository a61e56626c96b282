import * as pulumi from "@pulumi/pulumi";
import { addApplication, reportOf, type Application } from "../application/application";
import type { StackReport } from "../../model/restore/stack-report";
import { BackupSchedule } from "../backups/backup-schedule";
import { Database, type DatabaseArgs, type PrepareArgs } from "../contents/database";
import { volumeOf, type Contents } from "../contents/dump";
import { PostgresServer } from "../postgres/postgres-server";
import type { ServerArgs } from "./server-args";

/** What {@link DevelopmentServer} is made of. */
export interface DevelopmentServerArgs extends ServerArgs {
  readonly database: DatabaseArgs & {
    /** The contents. Another dump or backup replaces them, and with them whatever was done here since. */
    readonly refreshFrom: Contents;
  } & PrepareArgs;
}

/**
 * A developer's own server, with the contents of a dump.
 *
 * ```ts
 * new DevelopmentServer("dev", {
 *   postgres: { port: 15432 },
 *   database: { name: "timesheets", refreshFrom: dump },
 *   passwords,
 * });
 * ```
 */
export class DevelopmentServer extends pulumi.ComponentResource {
  /** PostgreSQL and the agent. */
  readonly postgres: PostgresServer;
  /** The database that is looked after. */
  readonly database: Database;
  /** The application, where it has one. */
  readonly application: Application | undefined;
  /** What the last restore did, and what became of the application then. */
  readonly report: pulumi.Output<StackReport>;

  constructor(name: string, args: DevelopmentServerArgs, opts?: pulumi.ComponentResourceOptions) {
    super("stagecraft:index:DevelopmentServer", name, {}, opts);
    const {
      refreshFrom,
      name: database,
      upgrades,
      masks,
      defuse,
      keep,
      ...choices
    } = args.database;
    const prepare = { upgrades, masks, defuse, keep };
    this.postgres = new PostgresServer(
      name,
      {
        kind: "development",
        namePrefix: args.namePrefix,
        host: args.host,
        postgres: args.postgres,
        pgHba: args.pgHba,
        tls: args.tls,
        backupsOf: volumeOf(refreshFrom),
        archivable: args.backups?.pointInTime !== undefined,
        roles: { database, passwords: args.passwords, people: args.people },
      },
      { parent: this },
    );
    this.database = new Database(
      database,
      { ...choices, server: this.postgres, contents: refreshFrom, prepare, mode: "replace" },
      { parent: this },
    );
    new BackupSchedule(
      `${name}-backups`,
      { ...args.backups, server: this.postgres },
      { parent: this },
    );
    this.application = addApplication(this, name, args);
    this.report = reportOf(this.database, this.application);
    this.registerOutputs();
  }
}
