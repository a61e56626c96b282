import type { ServerKind } from "../base/names";

/**
 * Beginning of each line of the server log: time, process, and for sessions the user who logged in, database and client
 * address. PostgreSQL manual, 19.8.3.
 */
const linePrefix = "%m [%p] %quser=%u,db=%d,client=%h ";

/**
 * Parameters that show in the server log who did what. Production logs connections, their ends and DDL; on every server
 * each line names its user, and lock waits are logged. `postgres.settings` has precedence.
 */
export function traceParameters(kind: ServerKind): Readonly<Record<string, string>> {
  return {
    log_line_prefix: linePrefix,
    log_lock_waits: "on",
    ...(kind === "production" && {
      log_connections: "on",
      log_disconnections: "on",
      log_statement: "ddl",
    }),
  };
}
