import type * as pulumi from "@pulumi/pulumi";
import type { DatabaseArgs } from "./database";
import type { PostgresArgs } from "./postgres-server";

/** What all three servers are made of. */
export interface ServerArgs {
  /**
   * What all names on the engine begin with: `stagecraft-dev-postgres` and so on. Changing it makes a new server.
   * @default "stagecraft"
   */
  readonly namePrefix?: string | undefined;
  /** PostgreSQL itself. */
  readonly postgres: PostgresArgs;
  /** The database that is looked after. */
  readonly database: DatabaseArgs;
  /** Password of the role that owns the database. Another one is set at once, without a restart. */
  readonly password: pulumi.Input<string>;
}
