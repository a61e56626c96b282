import type { RolesChoice } from "../../../model/restore/protocol";
import type { Difference } from "./facts";

/** How ours was restored. */
export interface OracleRestore {
  readonly database: string;
  readonly roles: RolesChoice;
  readonly isArchive: boolean;
}

/** A difference that is on purpose. */
interface Allowed {
  readonly why: string;
  readonly is: (difference: Difference, restore: OracleRestore) => boolean;
}

const allowed: readonly Allowed[] = [
  {
    why: "all objects go to the database's owner (docs/roles.md); with roles created, those that the dump gives to nobody else",
    is: ({ fact, theirs, ours }, { database, roles }) =>
      fact.endsWith(": owner") &&
      (theirs === "postgres" || (theirs === "corpus_owner" && roles === "leave out")) &&
      ours === (fact.startsWith("large object ") ? database : `${database}_owner`),
  },
  {
    why: "public belongs to pg_database_owner, who is the database's owner; before 15 it was the superuser's",
    is: ({ fact, theirs, ours }) =>
      fact === "schema public: owner" && theirs === "postgres" && ours === "pg_database_owner",
  },
  {
    why: "what the owner creates later is for the server's roles (docs/roles.md)",
    is: ({ fact, theirs, ours }, { database }) =>
      fact.startsWith(`default acl for role ${database}_owner on `) &&
      theirs === undefined &&
      ours === "there",
  },
  {
    why: "default privileges of a role belong to that role, which is left out",
    is: ({ fact, ours }, { roles }) =>
      roles === "leave out" &&
      fact.startsWith("default acl for role corpus_owner ") &&
      ours === undefined,
  },
  {
    why: "an archive has parameters and comment of its database, which only pg_restore --create reads (docs/restore-a-dump.md)",
    is: ({ fact, theirs, ours }, { isArchive }) =>
      isArchive &&
      ((fact === "database: comment" && theirs === "" && ours === "the corpus") ||
        (fact === "database: setting" &&
          theirs === undefined &&
          ours ===
            `TimeZone=Europe/Berlin\napp.mode=it's "on"\nsearch_path=app, "Odd.One ""x""", public`)),
  },
  {
    why: "an archive has the locale of its database",
    is: ({ fact, ours }, { isArchive }) =>
      isArchive && fact === "database: encoding and locale" && ours === "6 c C C",
  },
  {
    why: "the hash of an enum differs between databases, so which partition has a row; their root has the same rows",
    is: ({ fact }) => /^table app\.by_enum_[01]: rows$/.test(fact),
  },
];

/** The differences that nothing allows, each in a few lines. */
export function unexpected(found: readonly Difference[], restore: OracleRestore): string[] {
  return found
    .filter((difference) => !allowed.some(({ is }) => is(difference, restore)))
    .map(({ fact, theirs, ours }) => `${fact}\n  PostgreSQL: ${theirs}\n  ours: ${ours}`);
}
