import type { StatementFacts } from "../dump/statement";
import type { ImportEvent } from "./event";

/** What is known about a message that does no harm. `harmless` needs no attention; a `note` is told to the reader. */
export interface Known {
  readonly kind: "harmless" | "note";
  readonly text: string;
}

interface Rule extends Known {
  readonly matches: (event: ImportEvent, statement: StatementFacts) => boolean;
}

/** SQLSTATEs of "there is no such …": table, object, function, schema, column. PostgreSQL manual, appendix A. */
const notThere = new Set(["42P01", "42704", "42883", "3F000", "42703"]);

/** Settings that pg_dump writes for its own version's sake; another version may not know them. */
const settingsOfOtherVersions = new Set([
  "default_table_access_method",
  "default_with_oids",
  "idle_in_transaction_session_timeout",
  "lock_timeout",
  "row_security",
  "transaction_timeout",
  "xmloption",
]);

/** Everything that may be said in an import without making it fail. Whatever is not here is fatal when it is an error. */
const rules: readonly Rule[] = [
  {
    kind: "harmless",
    text: "dropping what is not there",
    matches: ({ phase, sqlstate = "" }, { action }) =>
      phase === "prelude" && action === "drop" && notThere.has(sqlstate),
  },
  {
    // pg_dump --clean breaks circles between views with stand-ins that the DROPs behind them remove.
    kind: "harmless",
    text: "stand-in for a view that is not there",
    matches: ({ phase, sqlstate = "", statement }, { action, object = "" }) =>
      phase === "prelude" &&
      action === "create" &&
      object.startsWith("VIEW ") &&
      /\bAS SELECT NULL\b/i.test(statement) &&
      notThere.has(sqlstate),
  },
  {
    kind: "harmless",
    text: "plpgsql is there already",
    matches: ({ sqlstate, phase }, { action, object = "", name }) =>
      name === "plpgsql" &&
      /^(?:LANGUAGE|EXTENSION) /.test(object) &&
      ((action === "create" && sqlstate === "42710") ||
        (action === "drop" && phase === "prelude" && sqlstate === "2BP01")),
  },
  {
    kind: "harmless",
    text: "schema public is there already",
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
    text: "a setting of another version",
    matches: ({ sqlstate, message }, { action }) =>
      action === "set" &&
      sqlstate === "42704" &&
      settingsOfOtherVersions.has(/parameter "([\w.]+)"/.exec(message)?.[1] ?? ""),
  },
  {
    // A server without the tablespace or access method keeps the tables in its default one, complete.
    kind: "note",
    text: "tablespaces or access methods that this server has not: the default ones are used",
    matches: ({ sqlstate, message }, { action }) =>
      action === "set" &&
      sqlstate === "22023" &&
      /^invalid value for parameter "default_(?:tablespace|table_access_method)":/.test(message),
  },
  {
    // From PostgreSQL 12 on there are none; a dump without --oids does not hold them anyway.
    kind: "note",
    text: "hidden oid columns, which PostgreSQL no longer has, were left out",
    matches: ({ sqlstate, statement }, { action }) =>
      action === "set" && sqlstate === "0A000" && /^SET default_with_oids\b/i.test(statement),
  },
  {
    // ANALYZE makes them anew behind every restore.
    kind: "harmless",
    text: "planner statistics for a newer PostgreSQL",
    matches: ({ sqlstate, statement, message }) =>
      sqlstate === "42883" &&
      /^SELECT (?:\* FROM )?pg_catalog\.pg_restore_\w+_stats\(/i.test(statement) &&
      /^function pg_catalog\.pg_restore_\w+_stats\(/.test(message),
  },
  {
    // pg_dump up to version 10 writes it even without --create, for the name that the database had there.
    kind: "harmless",
    text: "comment on the database under its former name",
    matches: ({ sqlstate }, { action, object = "" }) =>
      action === "comment" && object.startsWith("DATABASE ") && sqlstate === "3D000",
  },
  {
    // pg_restore sends the privileges of an object as one command, which fails as a whole.
    kind: "note",
    text: "grants of further roles were left out along with those of roles that this server has not",
    matches: (event, { action, roles }) => {
      const missing = missingRole(event);
      return action === "grant" && missing !== undefined && roles.some((role) => role !== missing);
    },
  },
  {
    kind: "note",
    text: "grants of roles that this server has not were left out",
    matches: (event, { action }) => action === "grant" && missingRole(event) !== undefined,
  },
  {
    kind: "harmless",
    text: "privileges that were not there to grant or revoke",
    matches: ({ severity, sqlstate = "" }) =>
      severity === "WARNING" && ["01006", "01007"].includes(sqlstate),
  },
  {
    kind: "note",
    text: "warnings of PostgreSQL about statements that succeeded",
    matches: ({ severity }) => severity === "WARNING",
  },
];

/** What the closed list says of a message; `undefined` means that nothing is known in its favour. */
export function knownMessage(event: ImportEvent, statement: StatementFacts): Known | undefined {
  return rules.find(({ matches }) => matches(event, statement));
}

/** The role that a message misses, or `undefined` when it is about something else. */
export function missingRole({
  sqlstate,
  message,
}: Pick<ImportEvent, "sqlstate" | "message">): string | undefined {
  if (sqlstate !== "42704" && sqlstate !== "22023") return undefined;
  return /^role "((?:[^"]|"")*)" does not exist/.exec(message)?.[1];
}
