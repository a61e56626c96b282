import type * as pulumi from "@pulumi/pulumi";
import type { People } from "../../model/roles/people";
import type { ApplicationArgs } from "../application/application";
import type { BackupsArgs } from "../backups/backup-schedule";
import type { DatabaseArgs } from "../contents/database";
import type { PgHbaChoice } from "../access/pg-hba";
import type { PostgresArgs } from "../postgres/postgres-server";
import type { Passwords } from "../access/roles-command";
import type { TlsArgs } from "../access/tls-command";

/** What all three servers are made of. */
export interface ServerArgs {
  /**
   * What all names on the engine begin with: `stagecraft-dev-postgres` and so on. Changing it makes a new server.
   * @default "stagecraft"
   */
  readonly namePrefix?: string | undefined;
  /**
   * Where it runs: `"local"`, or another machine with a Docker engine, `"ssh://user@host[:port]"`. Changing it makes a
   * new server there, with contents from the dump. @default "local"
   */
  readonly host?: string | undefined;
  /** PostgreSQL itself. */
  readonly postgres: PostgresArgs;
  /** Who may connect. @default the preset of the server's kind: see `presets` */
  readonly pgHba?: PgHbaChoice | undefined;
  /** The server's certificate. @default one of the server's own CA, renewed in time */
  readonly tls?: TlsArgs | undefined;
  /** The database that is looked after. */
  readonly database: DatabaseArgs;
  /** Which backups it makes by itself, and when. @default one a night on production and staging, none on development */
  readonly backups?: BackupsArgs | undefined;
  /** The application that runs beside the database. @default none */
  readonly application?: ApplicationArgs | undefined;
  /** Passwords of the roles that log in. Another one is set at once, without a restart; open sessions go on. */
  readonly passwords: pulumi.Input<Passwords>;
  /**
   * Who is who, e.g. `{ ada: "DbAdmin", bob: "Tester" }`. Whoever has rights on a server of this kind gets a login role;
   * taken out of the list, that role may not log in any more, and its sessions end. @default nobody
   */
  readonly people?: People | undefined;
}
