/** Connection types of rules, the first field of a line. PostgreSQL manual, 20.1. */
export const connectionTypes = [
  "local",
  "host",
  "hostssl",
  "hostnossl",
  "hostgssenc",
  "hostnogssenc",
] as const;
export type ConnectionType = (typeof connectionTypes)[number];

/** Authentication methods. `oauth` needs PostgreSQL 18. PostgreSQL manual, 20.3. */
export const authMethods = [
  "trust",
  "reject",
  "scram-sha-256",
  "md5",
  "password",
  "gss",
  "sspi",
  "ident",
  "peer",
  "ldap",
  "radius",
  "cert",
  "pam",
  "bsd",
  "oauth",
] as const;
export type AuthMethod = (typeof authMethods)[number];

/**
 * One rule of `pg_hba.conf`. Words are in the file's notation, with quotes where they change the meaning: `all` is every
 * database, `"all"` is the database of that name.
 *
 * @example
 * const rule: PgHbaRule = {
 *   type: "hostssl",
 *   databases: ["timesheets"],
 *   users: ["timesheets", "+testers"],
 *   address: "10.20.0.0/24",
 *   method: "scram-sha-256",
 * };
 */
export interface PgHbaRule {
  readonly type: ConnectionType;
  /** Names, `all`, `sameuser`, `samerole`, `replication`, `/regex`; at least one. */
  readonly databases: readonly string[];
  /** Names, `all`, `+role` for its members, `/regex`; at least one. */
  readonly users: readonly string[];
  /** `10.20.0.0/24`, `2001:db8::/32`, `all`, `samehost`, `samenet`, a host name or `.suffix`. Never with `local`, always with the others. */
  readonly address?: string;
  /** Mask of an address without a prefix length, e.g. `255.255.255.0`. */
  readonly mask?: string;
  readonly method: AuthMethod;
  /** Options of the method, without quotes: `{ map: "staff" }`. */
  readonly options?: Readonly<Record<string, string>>;
}
