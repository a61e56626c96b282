import type { StatementFacts } from "../dump/statement";
import type { ImportEvent } from "./event";
import { missingRole } from "./known-messages";

/** The fix for a message that made an import fail; `undefined` when none is known. */
export function fixFor(event: ImportEvent, statement: StatementFacts): string | undefined {
  const { sqlstate = "", message } = event;
  const role = missingRole(event);
  if (role !== undefined) {
    return `set database.roles: "create without login" so that ${role} is created, or create it on the server`;
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
      return "the dump was edited or damaged, or is from a newer PostgreSQL; dump again with pg_dump of this server's version";
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
