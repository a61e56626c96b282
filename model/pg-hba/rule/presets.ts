import type { ServerKind } from "../../base/names";
import { databaseRoles, monitorRole, sessionRolePrefix, superuser } from "../../roles/names";
import type { PgHbaRule } from "./rule";
import { nameToken } from "./token";

/** Arguments of {@link presets}. */
export interface PresetArgs {
  /** The database. The application's role has the same name, the read-only role the suffix `_readonly`. */
  readonly database: string;
  /** Network that the application connects from, e.g. `"10.20.0.0/24"`. @default "samenet", the networks of PostgreSQL's container */
  readonly application?: string;
  /** Network that the read-only role connects from, or `none`. @default the application's */
  readonly readonly?: string | undefined;
  /** Network that monitoring connects from, or `none`. @default the application's */
  readonly monitoring?: string | undefined;
}

/** In place of a network: a role cannot connect over the network. */
export const noNetwork = "none";

/** The rule for the agent. It is the first one in every file, so that no rule can lock the agent out. */
export const agentRule: PgHbaRule = {
  type: "local",
  databases: ["all"],
  users: [superuser],
  method: "peer",
};

/** User token that matches the agent's restricted logins. PostgreSQL 16 and later. */
export const sessionUsers = `/^${sessionRolePrefix}`;

/** The rule for the agent's restricted logins, whose passwords only the agent has. */
const sessionRule: PgHbaRule = {
  type: "local",
  databases: ["all"],
  users: [sessionUsers],
  method: "scram-sha-256",
};

/** The superuser has no password; connections over the network are rejected. */
const noSuperuser: PgHbaRule = {
  type: "host",
  databases: ["all"],
  users: [superuser],
  address: "all",
  method: "reject",
};

/**
 * Rules for the three kinds of server. All other connections are rejected, as PostgreSQL does without a matching rule.
 * Further rules can follow.
 *
 * @example
 * presets.staging({ database: "timesheets", application: "10.20.0.0/24" });
 */
export const presets: Readonly<Record<ServerKind, (args: PresetArgs) => readonly PgHbaRule[]>> = {
  development: (args) => narrowed("development", args),
  staging: (args) => narrowed("staging", args),
  production: (args) => narrowed("production", args),
};

/** Number of the first rules, which are the agent's own. */
export const agentRules = 2;

const generous: typeof presets = {
  /** Everyone is trusted inside the container; its network, which includes the host, needs a password. */
  development: ({ application = "samenet" }) => [
    agentRule,
    sessionRule,
    { type: "local", databases: ["all"], users: ["all"], method: "trust" },
    noSuperuser,
    ...[...new Set(["samenet", application])].map((network) =>
      scram("host", ["all"], ["all"], network),
    ),
  ],
  /** Every role, with a password, from the application's network to the managed database only. */
  staging: ({ database, application = "samenet" }) => [
    agentRule,
    sessionRule,
    noSuperuser,
    scram("host", [nameToken(database)], ["all"], application),
    scram("host", ["all"], [monitorRole], application),
  ],
  /** Only the application's roles, from its network, with TLS. */
  production: ({ database, application = "samenet" }) => [
    agentRule,
    sessionRule,
    noSuperuser,
    scram(
      "hostssl",
      [nameToken(database)],
      [nameToken(databaseRoles(database).application), nameToken(databaseRoles(database).readonly)],
      application,
    ),
    scram("hostssl", ["all"], [monitorRole], application),
  ],
};

/**
 * The rules of a kind, with a narrower network for some roles: it is let in before the other rules, which would let the role in
 * from the application's network, and everything else of the role is rejected.
 */
function narrowed(kind: ServerKind, args: PresetArgs): readonly PgHbaRule[] {
  const { database, application = "samenet" } = args;
  const rules = generous[kind](args);
  const type = kind === "production" ? "hostssl" : "host";
  const narrow = (
    network: string | undefined,
    role: string,
    databases: readonly string[],
  ): PgHbaRule[] => {
    if (network === undefined || network === application) return [];
    return [
      ...(network === noNetwork ? [] : [scram(type, databases, [role], network)]),
      { type: "host", databases: ["all"], users: [role], address: "all", method: "reject" },
    ];
  };
  const { readonly } = databaseRoles(database);
  const monitoring = narrow(args.monitoring, monitorRole, ["all"]);
  const ofRoles = [
    ...narrow(args.readonly, nameToken(readonly), [nameToken(database)]),
    ...monitoring,
  ];
  // It would never match.
  const rest = rules
    .slice(agentRules)
    .filter(({ users }) => monitoring.length === 0 || users.join() !== monitorRole);
  return [...rules.slice(0, agentRules), ...ofRoles, ...rest];
}

function scram(
  type: "host" | "hostssl",
  databases: readonly string[],
  users: readonly string[],
  address: string,
): PgHbaRule {
  return { type, databases, users, address, method: "scram-sha-256" };
}
