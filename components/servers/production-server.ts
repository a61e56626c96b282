import * as pulumi from "@pulumi/pulumi";
import { addApplication, reportOf, type Application } from "../application/application";
import type { StackReport } from "../../model/restore/stack-report";
import { BackupSchedule } from "../backups/backup-schedule";
import { Database, type DatabaseArgs } from "../contents/database";
import { volumeOf, type Contents } from "../contents/dump";
import { PostgresServer } from "../postgres/postgres-server";
import type { ServerArgs } from "./server-args";

/** What {@link ProductionServer} is made of. There is no way to refresh it: its contents are recovered or kept. */
export interface ProductionServerArgs extends ServerArgs {
  readonly database: DatabaseArgs & {
    /** Where the contents come from while the database is missing. Contents that are there are never replaced. */
    readonly recoverFrom: Contents;
  };
}

/**
 * The server that people work with. Its volumes stay on the engine even when the stack is destroyed, and are taken up
 * again when it comes back.
 *
 * ```ts
 * new ProductionServer("prod", {
 *   postgres: { port: 15434, memory: "8 GB" },
 *   database: { name: "timesheets", recoverFrom: dump },
 *   passwords,
 * });
 * ```
 */
export class ProductionServer extends pulumi.ComponentResource {
  /** PostgreSQL and the agent. */
  readonly postgres: PostgresServer;
  /** The database that is looked after. */
  readonly database: Database;
  /** The application, where it has one. */
  readonly application: Application | undefined;
  /** What the last restore did, and what became of the application then. */
  readonly report: pulumi.Output<StackReport>;

  constructor(name: string, args: ProductionServerArgs, opts?: pulumi.ComponentResourceOptions) {
    super("stagecraft:index:ProductionServer", name, {}, opts);
    const { recoverFrom, name: database, ...choices } = args.database;
    this.postgres = new PostgresServer(
      name,
      {
        kind: "production",
        namePrefix: args.namePrefix,
        host: args.host,
        postgres: args.postgres,
        pgHba: args.pgHba,
        tls: args.tls,
        backupsOf: volumeOf(recoverFrom),
        roles: { database, passwords: args.passwords, people: args.people },
        keepVolumes: true,
      },
      { parent: this },
    );
    this.database = new Database(
      database,
      { ...choices, server: this.postgres, contents: recoverFrom, mode: "when missing" },
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
