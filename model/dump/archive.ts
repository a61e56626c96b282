import { databaseProperty, sourceProperties, type DatabaseProperty } from "./database-properties";
import { SqlReader, type SqlToken } from "./sql-reader";
import { describeStatement, type StatementFacts } from "./statement";
import { StatementCursor } from "./statement-cursor";
import { textDecoder, type DecodeText } from "./text-encoding";
import { unquoteIdentifier } from "../base/sql";
import type { SourceProperties } from "../base/database-settings";

/** Options of CREATE DATABASE in a dump. */
export interface DatabaseOptions {
  /** E.g. `UTF8`. */
  readonly encoding?: string;
  /** Further options in SQL notation, e.g. `LOCALE_PROVIDER = libc`. */
  readonly options: readonly string[];
}

/** Facts from the schema script of an archive (`pg_restore --schema-only --create -f -`). */
export interface ArchiveFacts {
  readonly database: DatabaseOptions;
  /** Encoding of its text, e.g. `UTF8`. */
  readonly encoding: string;
  /** Tables that can have rows: qualified names, unquoted. */
  readonly tables: readonly string[];
  /** Number of objects by owner. */
  readonly owners: ReadonlyMap<string, number>;
  /** Roles in grants, policies and similar statements. */
  readonly grantees: ReadonlySet<string>;
  /** Its GRANT, REVOKE and ALTER DEFAULT PRIVILEGES statements, in the archive's encoding. */
  readonly grants: readonly Buffer[];
  /** Its ALTER … OWNER TO statements, in the archive's encoding. */
  readonly ownerChanges: readonly Buffer[];
}

/**
 * The grants of an archive as a separate plain dump, with `owners` also its changes of owners. pg_restore sends all grants on an object as one command, which fails
 * for all roles if one of them is missing.
 */
export function grantScript(
  { encoding, grants, ownerChanges }: ArchiveFacts,
  { owners }: { readonly owners: boolean },
): Buffer {
  const encodingStatement = Buffer.from(`SET client_encoding = '${encoding}'`);
  const statements = [encodingStatement, ...grants, ...(owners ? ownerChanges : [])];
  return Buffer.concat([
    ...statements.flatMap((statement) => [statement, Buffer.from(";\n")]),
    Buffer.from("-- PostgreSQL database dump complete\n"),
  ]);
}

/** Reads the schema script of an archive. */
export class ArchiveScriptReader {
  readonly #reader = new SqlReader();
  #database: DatabaseOptions = { options: [] };
  #hasDatabase = false;
  readonly #properties: DatabaseProperty[] = [];
  readonly #tables: string[] = [];
  readonly #owners = new Map<string, number>();
  readonly #grantees = new Set<string>();
  readonly #grants: Buffer[] = [];
  readonly #ownerChanges: Buffer[] = [];
  #encoding = "UTF8";
  #decode: DecodeText = textDecoder("UTF8");
  /** The schema of names without one, which archives of pg_dump 10.2, 9.6.7 and older have. */
  #schema: string | undefined;
  /** The statement that set it. */
  #searchPath: Buffer | undefined;

  push(chunk: Buffer): void {
    this.#takeAll(this.#reader.push(chunk));
  }

  /** Parameters and the like of its database; `undefined` for an archive of parts of a database, which has none. */
  get properties(): SourceProperties | undefined {
    return this.#hasDatabase ? sourceProperties(this.#properties) : undefined;
  }

  finish(): ArchiveFacts {
    this.#takeAll(this.#reader.finish());
    return {
      database: this.#database,
      encoding: this.#encoding,
      tables: this.#tables,
      owners: this.#owners,
      grantees: this.#grantees,
      grants: this.#grants,
      ownerChanges: this.#ownerChanges,
    };
  }

  #takeAll(tokens: Iterable<SqlToken>): void {
    for (const token of tokens) {
      if (token.type === "statement") this.#take(token.bytes, this.#decode(token.bytes));
    }
  }

  #take(bytes: Buffer, text: string): void {
    const facts = describeStatement(text);
    const { action, object = "", name } = facts;
    if (action === "set") {
      const encoding = /^SET client_encoding = '([^']+)'/.exec(text)?.[1];
      if (encoding !== undefined) {
        this.#encoding = encoding;
        this.#decode = textDecoder(encoding);
      }
      const path = /^SET search_path = ("(?:[^"]|"")+"|[^\s,]+)/.exec(text)?.[1];
      if (path !== undefined) {
        this.#schema = unquoteIdentifier(path);
        this.#searchPath = bytes;
      }
    }
    if (action === "change database") {
      if (/^CREATE DATABASE/i.test(facts.excerpt)) {
        this.#database = readDatabaseOptions(text);
        this.#hasDatabase = true;
      } else this.#takeProperty(text);
    } else if (action === "comment" && object.startsWith("DATABASE ")) {
      this.#takeProperty(text);
    } else if (action === "set owner") {
      if (!object.startsWith("DATABASE ")) this.#ownerChanges.push(...this.#withPath(bytes));
      for (const role of facts.roles) {
        if (!object.startsWith("DATABASE "))
          this.#owners.set(role, (this.#owners.get(role) ?? 0) + 1);
      }
    } else {
      if (action === "create" && name !== undefined && holdsRows(facts, text))
        this.#tables.push(this.#qualified(object, name));
      if (action === "grant" && !object.startsWith("DATABASE "))
        this.#grants.push(...this.#withPath(bytes));
      for (const role of facts.roles) this.#grantees.add(role);
    }
  }

  /** A statement behind the search path that its names are relative to. */
  #withPath(statement: Buffer): readonly Buffer[] {
    return this.#searchPath === undefined ? [statement] : [this.#searchPath, statement];
  }

  #takeProperty(text: string): void {
    const property = databaseProperty(text);
    if (property) this.#properties.push(property);
  }

  /** @param object type and name in SQL notation */
  #qualified(object: string, name: string): string {
    const isBare = /^TABLE (?:"(?:[^"]|"")*"|[^".]+)$/.test(object);
    return isBare && this.#schema !== undefined ? `${this.#schema}.${name}` : name;
  }
}

/** Parses `CREATE DATABASE x WITH TEMPLATE = template0 ENCODING = 'UTF8' LOCALE_PROVIDER = libc …`. */
export function readDatabaseOptions(statement: string): DatabaseOptions {
  const localeOptions = [
    "LOCALE_PROVIDER",
    "LOCALE",
    "LC_COLLATE",
    "LC_CTYPE",
    "BUILTIN_LOCALE",
    "ICU_LOCALE",
    "ICU_RULES",
  ];
  const options: string[] = [];
  let encoding: string | undefined;
  for (const [, key = "", value = ""] of statement.matchAll(
    /"(?:[^"]|"")*"|\b([A-Z_]+) = ('(?:[^']|'')*'|\w+)/g,
  )) {
    if (key === "ENCODING") encoding = value.replace(/^'|'$/g, "");
    else if (localeOptions.includes(key)) options.push(`${key} = ${value}`);
  }
  return {
    options,
    ...(encoding === undefined ? {} : { encoding: unquoteIdentifier(encoding).toUpperCase() }),
  };
}

/** True for a table that can have rows, false for a partitioned one. */
function holdsRows({ object = "" }: StatementFacts, text: string): boolean {
  if (!object.startsWith("TABLE ")) return false;
  const cursor = new StatementCursor(text);
  while (cursor.skipTo("PARTITION") !== undefined) if (cursor.accept("BY")) return false;
  return true;
}
