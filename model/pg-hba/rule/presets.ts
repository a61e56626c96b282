import type { ServerKind } from "../../base/names";
import { databaseRoles, monitorRole, superuser } from "../../roles/names";
import type { PgHbaRule } from "./rule";
import { nameToken } from "./token";

/** What the rules of a server are made for. */
export interface PresetArgs {
  /** The database; the application's role has the same name, its read-only companion has `_readonly` behind it. */
  readonly database: string;
  /** The network that the application comes from, e.g. `"10.20.0.0/24"`. @default "samenet", the networks of PostgreSQL's container */
  readonly application?: string;
  /** The network that the monitoring comes from. @default the application's */
  readonly monitoring?: string;
}

/** What the agent comes in by. It stands first in every file, so that no rule can lock the agent out. */
export const agentRule: PgHbaRule = {
  type: "local",
  databases: ["all"],
  users: [superuser],
  method: "peer",
};

/** The superuser has no password; over the network it is refused before anything else is asked. */
const noSuperuser: PgHbaRule = {
  type: "host",
  databases: ["all"],
  users: [superuser],
  address: "all",
  method: "reject",
};

/**
 * Rules for the three kinds of server. Whatever they do not name is rejected, as PostgreSQL does without a rule; more rules
 * may stand behind them.
 *
 * @example
 * presets.staging({ database: "timesheets", application: "10.20.0.0/24" });
 */
export const presets: Readonly<Record<ServerKind, (args: PresetArgs) => readonly PgHbaRule[]>> = {
  /** Inside the container everybody is trusted; over its network, which the host is part of, a password is asked. */
  development: ({ application = "samenet" }) => [
    agentRule,
    { type: "local", databases: ["all"], users: ["all"], method: "trust" },
    noSuperuser,
    ...[...new Set(["samenet", application])].map((network) =>
      scram("host", ["all"], ["all"], network),
    ),
  ],
  /** Everybody with a password, from the application's network, to the one database. */
  staging: ({ database, application = "samenet", monitoring = application }) => [
    agentRule,
    noSuperuser,
    scram("host", [nameToken(database)], ["all"], application),
    scram("host", ["all"], [monitorRole], monitoring),
  ],
  /** The application alone, from its network, by TLS. */
  production: ({ database, application = "samenet", monitoring = application }) => [
    agentRule,
    noSuperuser,
    scram(
      "hostssl",
      [nameToken(database)],
      [nameToken(databaseRoles(database).application), nameToken(databaseRoles(database).readonly)],
      application,
    ),
    scram("hostssl", ["all"], [monitorRole], monitoring),
  ],
};

function scram(
  type: "host" | "hostssl",
  databases: readonly string[],
  users: readonly string[],
  address: string,
): PgHbaRule {
  return { type, databases, users, address, method: "scram-sha-256" };
}
