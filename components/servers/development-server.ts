import type * as pulumi from "@pulumi/pulumi";
import type { DatabaseArgs, PrepareArgs } from "../contents/database";
import type { Contents } from "../contents/dump";
import { Server } from "./server";
import type { ServerArgs } from "./server-args";

/** Arguments of {@link DevelopmentServer}. */
export interface DevelopmentServerArgs extends ServerArgs {
  readonly database: DatabaseArgs & {
    /** The contents. A change replaces the database, and with it all changes made to it. */
    readonly refreshFrom: Contents;
  } & PrepareArgs;
}

/**
 * A developer's own server, restored from a dump or a backup.
 *
 * ```ts
 * new DevelopmentServer("dev", {
 *   postgres: { port: 15432 },
 *   database: { name: "timesheets", refreshFrom: dump },
 *   passwords,
 * });
 * ```
 */
export class DevelopmentServer extends Server {
  constructor(name: string, args: DevelopmentServerArgs, opts?: pulumi.ComponentResourceOptions) {
    const { refreshFrom, upgrades, masks, defuse, keep } = args.database;
    const profile = {
      kind: "development",
      contents: refreshFrom,
      mode: "replace",
      prepare: { upgrades, masks, defuse, keep },
      archivable: args.backups?.pointInTime !== undefined,
    } as const;
    super("stagecraft:index:DevelopmentServer", name, args, profile, opts);
  }
}
