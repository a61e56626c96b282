import type * as pulumi from "@pulumi/pulumi";
import type { DatabaseArgs } from "../contents/database";
import type { Contents } from "../contents/dump";
import { Server } from "./server";
import type { ServerArgs } from "./server-args";

/** Arguments of {@link ProductionServer}. It cannot be refreshed: a database that exists is never replaced. */
export interface ProductionServerArgs extends ServerArgs {
  readonly database: DatabaseArgs & {
    /** What a missing database is restored from. */
    readonly recoverFrom: Contents;
  };
}

/**
 * The live server. Its volumes stay on the engine when the stack is destroyed, and are used again when the stack is recreated.
 *
 * ```ts
 * new ProductionServer("prod", {
 *   postgres: { port: 15434, memory: "8 GB" },
 *   database: { name: "timesheets", recoverFrom: dump },
 *   passwords,
 * });
 * ```
 */
export class ProductionServer extends Server {
  constructor(name: string, args: ProductionServerArgs, opts?: pulumi.ComponentResourceOptions) {
    const profile = {
      kind: "production",
      contents: args.database.recoverFrom,
      mode: "when missing",
      keepVolumes: true,
    } as const;
    super("stagecraft:index:ProductionServer", name, args, profile, opts);
  }
}
