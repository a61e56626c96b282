import type * as pulumi from "@pulumi/pulumi";
import type { EngineNames } from "../../model/base/engine-names";
import type { ServerKind } from "../../model/base/names";
import type { ObservedState } from "./server-state";

/** What a command needs to call the agent of a server. */
export interface AgentRef {
  /** Name of the server, e.g. `dev`. */
  readonly server: string;
  readonly kind: ServerKind;
  /** Where the agent runs: `local`, or `ssh://user@host[:port]`. */
  readonly host: string;
  /** Names of its parts on the engine. */
  readonly names: EngineNames;
  /** Id of the agent's container. Another id means that the container was recreated. */
  readonly agentId: pulumi.Output<string>;
  /** Id of PostgreSQL's container, or the address of a PostgreSQL that Stagecraft does not run. */
  readonly postgresId: pulumi.Output<string>;
  /** The state of the server before this update. */
  readonly observed: Promise<ObservedState>;
  /** Whether its volumes stay on the engine, and Pulumi must not delete the server unless an option says so. @default false */
  readonly isProtected?: boolean;
}

/**
 * Whether WAL of a server can be archived. `available`: yes. `off`: not while `wal_level` is minimal
 * (`PostgresServer`'s `archivable: false`). `external`: PostgreSQL runs elsewhere, and archiving is configured there.
 */
export type Archiving = "available" | "off" | "external";

/** A server as databases, backups and an application see it: a `PostgresServer` or an `ExternalPostgres`. */
export interface ServerRef extends AgentRef {
  /** Done when PostgreSQL accepts connections and the roles exist. */
  readonly ready: pulumi.Resource;
  readonly archiving: Archiving;
}
