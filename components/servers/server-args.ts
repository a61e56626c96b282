import type * as pulumi from "@pulumi/pulumi";
import type { People } from "../../model/roles/people";
import type { ApplicationArgs } from "../application/application";
import type { BackupsArgs } from "../backups/backup-schedule";
import type { DatabaseArgs } from "../contents/database";
import type { PgHbaChoice } from "../access/pg-hba";
import type { PostgresArgs } from "../postgres/postgres-server";
import type { Passwords } from "../access/roles-command";
import type { TlsArgs } from "../access/tls-command";

/** Arguments that all three servers have. */
export interface ServerArgs {
  /**
   * Name of the server in the names of its volumes and containers (`stagecraft-<server>-data`), and for its agent. Set it to
   * rename the resource: with only `aliases` the server keeps the earlier name while the alias is there. Changing it creates a
   * new, empty server. @default the resource's name
   */
  readonly server?: string | undefined;
  /**
   * Prefix of all names on the engine: `stagecraft-dev-postgres` and so on. Changing it creates a new server.
   * @default "stagecraft"
   */
  readonly namePrefix?: string | undefined;
  /**
   * Where it runs: `"local"`, or another machine with a Docker engine, `"ssh://user@host[:port]"`. Changing it creates a
   * new server there, restored from the dump or backup. @default "local"
   */
  readonly host?: string | undefined;
  /** PostgreSQL itself. */
  readonly postgres: PostgresArgs;
  /** Access rules. @default the preset of the server's kind: see `presets` */
  readonly pgHba?: PgHbaChoice | undefined;
  /** The server certificate. @default issued by the server's own CA and renewed automatically */
  readonly tls?: TlsArgs | undefined;
  /** The managed database. */
  readonly database: DatabaseArgs;
  /** Backup jobs, retention, off-site copies and alerts. @default nightly on production and staging, none on development */
  readonly backups?: BackupsArgs | undefined;
  /** The application that runs beside the database. @default none */
  readonly application?: ApplicationArgs | undefined;
  /** Passwords of the login roles. A change is applied at once, without a restart; open sessions continue. */
  readonly passwords: pulumi.Input<Passwords>;
  /**
   * Users and their team roles, e.g. `{ ada: "DbAdmin", bob: "Tester" }`. A user with rights on a server of this kind gets a
   * login role. A user who is removed can no longer log in, and open sessions are terminated. @default none
   */
  readonly people?: People | undefined;
}
