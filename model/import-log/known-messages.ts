import type { StatementFacts } from "../dump/statement";
import type { ImportEvent } from "./event";

/** Class of a message that does not make an import fail. `harmless` needs no attention; a `note` is shown to the user. */
export interface KnownMessage {
  readonly kind: "harmless" | "note";
  readonly text: string;
}

interface Rule extends KnownMessage {
  readonly matches: (event: ImportEvent, statement: StatementFacts) => boolean;
}

/** SQLSTATEs of "… does not exist": table, object, function, schema, column. PostgreSQL manual, appendix A. */
const notFound = new Set(["42P01", "42704", "42883", "3F000", "42703"]);

/** Parameters that pg_dump sets for its own version, which other versions may not have. */
const versionSpecificParameters = new Set([
  "default_table_access_method",
  "default_with_oids",
  "idle_in_transaction_session_timeout",
  "lock_timeout",
  "row_security",
  "transaction_timeout",
  "xmloption",
]);

/** All messages that do not make an import fail. Any other error does. */
const rules: readonly Rule[] = [
  {
    kind: "harmless",
    text: "DROP of objects that do not exist",
    matches: ({ phase, sqlstate = "" }, { action }) =>
      phase === "prelude" && action === "drop" && notFound.has(sqlstate),
  },
  {
    kind: "harmless",
    text: "DROP of objects that belong to the server",
    matches: ({ phase, sqlstate }, { action, object = "" }) =>
      phase === "prelude" &&
      action === "drop" &&
      /^(?:EXTENSION|LANGUAGE) /.test(object) &&
      sqlstate === "42501",
  },
  {
    // pg_dump --clean creates placeholder views to break circular references, and drops them afterwards.
    kind: "harmless",
    text: "placeholder for a view that does not exist",
    matches: ({ phase, sqlstate = "", statement }, { action, object = "" }) =>
      phase === "prelude" &&
      action === "create" &&
      object.startsWith("VIEW ") &&
      /\bAS SELECT NULL\b/i.test(statement) &&
      notFound.has(sqlstate),
  },
  {
    kind: "harmless",
    text: "plpgsql already exists",
    matches: ({ sqlstate, phase }, { action, object = "", name }) =>
      name === "plpgsql" &&
      /^(?:LANGUAGE|EXTENSION) /.test(object) &&
      ((action === "create" && sqlstate === "42710") ||
        (action === "drop" && phase === "prelude" && sqlstate === "2BP01")),
  },
  {
    kind: "harmless",
    text: "schema public already exists",
    matches: ({ sqlstate, phase }, { action, object }) =>
      object === "SCHEMA public" &&
      ((action === "create" && sqlstate === "42P06") ||
        (action === "drop" && phase === "prelude" && sqlstate === "2BP01")),
  },
  {
    kind: "harmless",
    text: "comment on an extension",
    matches: ({ sqlstate }, { action, object = "" }) =>
      action === "comment" && object.startsWith("EXTENSION ") && sqlstate === "42501",
  },
  {
    kind: "harmless",
    text: "parameters of another PostgreSQL version",
    matches: ({ sqlstate, message }, { action }) =>
      action === "set" &&
      sqlstate === "42704" &&
      versionSpecificParameters.has(/parameter "([\w.]+)"/.exec(message)?.[1] ?? ""),
  },
  {
    // Without the tablespace or access method, the tables are complete in the default one.
    kind: "note",
    text: "tablespaces or access methods that do not exist on this server: the default ones are used",
    matches: ({ sqlstate, message, statement }, { action }) =>
      // pg_restore does not print the statement.
      (action === "set" || statement === "") &&
      sqlstate === "22023" &&
      /^invalid value for parameter "default_(?:tablespace|table_access_method)":/.test(message),
  },
  {
    // Removed in PostgreSQL 12; a dump without --oids does not contain them.
    kind: "note",
    text: "hidden oid columns, removed in PostgreSQL 12, were left out",
    matches: ({ sqlstate, statement }, { action }) =>
      action === "set" && sqlstate === "0A000" && /^SET default_with_oids\b/i.test(statement),
  },
  {
    // ANALYZE creates them after every restore.
    kind: "harmless",
    text: "planner statistics for a newer PostgreSQL",
    matches: ({ sqlstate, statement, message }) =>
      sqlstate === "42883" &&
      /^SELECT (?:\* FROM )?pg_catalog\.pg_restore_\w+_stats\(/i.test(statement) &&
      /^function pg_catalog\.pg_restore_\w+_stats\(/.test(message),
  },
  {
    // pg_dump up to version 10 writes it even without --create, for the name of the source database.
    kind: "harmless",
    text: "comment on the source database's name",
    matches: ({ sqlstate }, { action, object = "" }) =>
      action === "comment" && object.startsWith("DATABASE ") && sqlstate === "3D000",
  },
  {
    // pg_restore sends the privileges of an object as one command, which fails as a whole.
    kind: "note",
    text: "grants of existing roles were left out together with those of roles that do not exist on this server",
    matches: (event, { action, roles }) => {
      const missing = missingRole(event);
      return action === "grant" && missing !== undefined && roles.some((role) => role !== missing);
    },
  },
  {
    kind: "note",
    text: "grants of roles that do not exist on this server were left out",
    matches: (event, { action }) => action === "grant" && missingRole(event) !== undefined,
  },
  {
    kind: "note",
    text: "privileges on objects of PostgreSQL or of an extension were left out",
    matches: ({ sqlstate }, { action }) => action === "grant" && sqlstate === "42501",
  },
  {
    // It has no rows; who owns it could read any file of the server.
    kind: "note",
    text: "foreign tables that read files of the server (file_fdw) were left out",
    matches: ({ sqlstate, message }, { action, object = "" }) =>
      action === "create" &&
      object.startsWith("FOREIGN TABLE ") &&
      sqlstate === "42501" &&
      /^permission denied to set the "(?:filename|program)" option of a file_fdw/.test(message),
  },
  {
    // The object is complete without its label; the provider is a library of the dumped server.
    kind: "note",
    text: "security labels whose provider is not loaded on this server were left out",
    matches: ({ message, statement }) =>
      /^SECURITY LABEL\b/i.test(statement) &&
      /^(?:security label provider ".*" is not loaded|no security label providers have been loaded)/.test(
        message,
      ),
  },
  {
    kind: "harmless",
    text: "privileges that could not be granted or revoked",
    matches: ({ severity, sqlstate = "" }) =>
      severity === "WARNING" && ["01006", "01007"].includes(sqlstate),
  },
  {
    kind: "note",
    text: "PostgreSQL's warnings about successful statements",
    matches: ({ severity }) => severity === "WARNING",
  },
];

/** The class of a known message; `undefined` for all others, which make the import fail. */
export function knownMessage(
  event: ImportEvent,
  statement: StatementFacts,
): KnownMessage | undefined {
  return rules.find(({ matches }) => matches(event, statement));
}

/**
 * The class of a message that a materialized view could not be filled because the server of its foreign tables cannot be
 * reached, or another view was left empty for that reason; `undefined` for all others.
 */
export function unreachableView({
  message,
  sqlstate = "",
  statement,
}: ImportEvent): KnownMessage | undefined {
  if (!/^REFRESH MATERIALIZED VIEW\b/i.test(statement)) return undefined;
  const isUnreachable =
    /^(?:08001$|08006$|HV)/.test(sqlstate) ||
    /^could not (?:connect to server|establish connection)/.test(message) ||
    /^materialized view ".*" has not been populated/.test(message);
  if (!isUnreachable) return undefined;
  const name = /^REFRESH MATERIALIZED VIEW\s+(.+?)\s*;?$/i.exec(statement)?.[1] ?? "";
  return {
    kind: "note",
    text: `materialized view ${name} was left empty: the server of its data cannot be reached`,
  };
}

/** The role that does not exist according to a message; `undefined` for other messages. */
export function missingRole({
  sqlstate,
  message,
}: Pick<ImportEvent, "sqlstate" | "message">): string | undefined {
  if (sqlstate !== "42704" && sqlstate !== "22023") return undefined;
  return /^role "((?:[^"]|"")*)" does not exist/.exec(message)?.[1];
}
