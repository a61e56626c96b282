import type { StatementFacts } from "../dump/statement";
import type { ImportEvent } from "./event";
import { missingRole, unreachableView } from "./known-messages";

/** Major versions of PostgreSQL, where they are known. */
export interface DumpVersions {
  /** Of the server that the dump is from, or of pg_dump, whichever is older. */
  readonly dump?: number;
  /** Of the server that it is restored on. */
  readonly server?: number;
}

/** Extensions that PostgreSQL removed, with the first major version that lacks them. */
const removedExtensions: Readonly<Record<string, number>> = {
  ...{ tsearch2: 10, chkpass: 11, timetravel: 12, adminpack: 17, old_snapshot: 17 },
  ...{ plpythonu: 15, plpython2u: 15, hstore_plpythonu: 15, hstore_plpython2u: 15 },
  ...{ jsonb_plpythonu: 15, jsonb_plpython2u: 15, ltree_plpythonu: 15, ltree_plpython2u: 15 },
};

/** The fix for a message that made an import fail; `undefined` when none is known. */
export function fixFor(
  event: ImportEvent,
  statement: StatementFacts,
  { dump, server }: DumpVersions = {},
): string | undefined {
  const { sqlstate = "", message } = event;
  const [, removable] =
    statement.action === "create"
      ? (/^(?:EXTENSION|LANGUAGE) (\w+)$/.exec(statement.object ?? "") ?? [])
      : [];
  const removedIn = removable === undefined ? undefined : removedExtensions[removable];
  if (removable !== undefined && removedIn !== undefined && /^(?:0A|58|42704)/.test(sqlstate)) {
    return `PostgreSQL has no extension ${removable} since version ${removedIn}, so leave it out: DROP EXTENSION ${removable} on the source server and dump again, or remove its statements (CREATE and COMMENT ON) from the dump`;
  }
  const isNewer = dump !== undefined && server !== undefined && dump > server;
  const isExtension = statement.object?.startsWith("EXTENSION ") === true;
  if (
    isNewer &&
    !isExtension &&
    /^(?:42601|42704|42883|42P17|0A000)$/.test(sqlstate) &&
    missingRole(event) === undefined
  ) {
    return `the dump is from PostgreSQL ${dump}, and this server's ${server} does not know everything in it; drop the object on the source server, or leave it out of the dump (pg_dump --exclude-…)`;
  }
  const role = missingRole(event);
  if (role !== undefined) {
    return `set database.roles: "create without login" so that ${role} is created, or create it on the server`;
  }
  if (unreachableView(event)) {
    return 'set database.unreachableViews: "leave empty" to restore without the rows of materialized views whose server cannot be reached from here';
  }
  switch (sqlstate) {
    case "22021":
    case "22P05":
      return 'if the dump has client_encoding SQL_ASCII, set database.encoding to the actual encoding of its text, e.g. "LATIN1"; otherwise repair the row on the source server and dump again';
    case "22P02":
    case "22P03":
    case "22P04":
    case "22007":
    case "22008":
      return "the row is damaged in the dump; compare it with the source server and dump again";
    case "23503":
      return "referenced rows are missing in the dump; repair them on the source server and dump again";
    case "23505":
      return "the dump has a duplicate row; check for a damaged unique index on the source server and dump again";
    case "58P01":
      if (statement.action === "create" && statement.object?.startsWith("EXTENSION ") !== true)
        return "a library that it needs is not in the server image; install its package (images/Dockerfile), or turn the functions into an extension on the source server and dump again";
      break;
    case "42501":
      return statement.action === "create" && statement.object?.startsWith("EXTENSION ") === true
        ? `only a superuser can create extension ${statement.name ?? ""}, and Stagecraft does not do so for a dump; dump again with --exclude-extension=${statement.name ?? ""} (pg_dump 17), or drop it on the source server`
        : "only a superuser can do this, and a dump is restored without superuser rights (docs/roles.md); drop the object on the source server, or turn it into an extension there, and dump again";
    case "42601":
      return dump !== undefined && server !== undefined && dump < server
        ? `a name in this statement became a keyword between PostgreSQL ${dump} and ${server}; dump again with pg_dump --quote-all-identifiers`
        : "the dump was edited or damaged, or has a name that is a keyword in this version only; dump again with pg_dump --quote-all-identifiers";
    case "53100":
      return "the disk is full; free some space, then run the same command again";
    case "53200":
      return "PostgreSQL ran out of memory or locks; increase postgres.memory, then run the same command again";
    case "57P01":
    case "57P02":
    case "57P03":
    case "08000":
    case "08003":
    case "08006":
      return "PostgreSQL stopped or was stopped during the import; run the same command again";
  }
  if (statement.action === "create" && statement.object?.startsWith("EXTENSION ") === true) {
    return `install the package of extension ${statement.name ?? ""} into the server image (images/Dockerfile), then run the same command again`;
  }
  if (/cannot have ON SELECT rules/.test(message)) {
    return "an old pg_dump wrote this view as a table with a rule; dump again with pg_dump 10 or newer";
  }
  if (
    /end of file|could not (?:read|uncompress|decompress|close data file)|incorrect data check|invalid (?:bit length|code|distance|block|stored)|could not open input file|worker process died|corrupt/i.test(
      message,
    )
  ) {
    return "the archive is truncated or damaged; copy or dump it again";
  }
  return undefined;
}

/** The fix for a message that has none of its own: what failed is the dump's, PostgreSQL's, or pg_restore's. */
export function generalFix({ sqlstate }: ImportEvent): string {
  if (sqlstate === undefined) return "copy or dump it again; report a bug if it happens again";
  return /^(?:08|53|57|58|F0|XX)/.test(sqlstate)
    ? "read PostgreSQL's log for the reason (docs/server-log.md), then run the same command again"
    : "correct it on the source server and dump again, or correct it in the dump";
}
