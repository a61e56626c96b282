import type * as pulumi from "@pulumi/pulumi";
import type { DatabaseArgs, PrepareArgs } from "../contents/database";
import type { Contents } from "../contents/dump";
import { Server } from "./server";
import type { ServerArgs } from "./server-args";

/** Arguments of {@link StagingServer}. */
export interface StagingServerArgs extends ServerArgs {
  readonly database: DatabaseArgs & {
    /** The contents. A change is a refresh: it replaces the database, and with it all changes made by testers. */
    readonly refreshFrom: Contents;
  } & PrepareArgs;
}

/**
 * The server where a release is tested, with production's data of one day.
 *
 * ```ts
 * new StagingServer("staging", {
 *   postgres: { port: 15433 },
 *   database: { name: "timesheets", refreshFrom: backup, masks },
 *   passwords,
 * });
 * ```
 */
export class StagingServer extends Server {
  constructor(name: string, args: StagingServerArgs, opts?: pulumi.ComponentResourceOptions) {
    const { refreshFrom, upgrades, masks, defuse, keep } = args.database;
    const profile = {
      kind: "staging",
      contents: refreshFrom,
      mode: "replace",
      prepare: { upgrades, masks, defuse, keep },
      archivable: args.backups?.pointInTime !== undefined,
    } as const;
    super("stagecraft:index:StagingServer", name, args, profile, opts);
  }
}
