import type { StatementFacts } from "../dump/statement";
import { unquoteIdentifier } from "../base/sql";
import type { ImportEvent } from "./event";
import { missingRole } from "./rules";
import { namesIn } from "./message-names";

/** SQLSTATEs of "there is no such …". PostgreSQL manual, appendix A. */
const notThere = new Set(["42P01", "42704", "42883", "3F000", "42703"]);
const alreadyThere = new Set(["42P06", "42P07", "42710", "42723"]);

/**
 * Remembers what could not be made or filled, and finds the cause that a later message follows from. A message follows
 * only from what its own words name; whatever is in doubt stays a cause of its own.
 */
export class Consequences<Cause extends object> {
  /** Objects whose CREATE failed. */
  readonly #missing = new Names<Cause>();
  /** Tables and materialized views whose rows did not come. */
  readonly #unfilled = new Names<Cause>();
  /** Tables that lack a constraint, an index, a trigger or the like. */
  readonly #incomplete = new Names<Cause>();
  readonly #extensions: { readonly schema: string | undefined; readonly root: Cause }[] = [];
  /** What may have stopped PostgreSQL. */
  #outage: Cause | undefined;
  #last: Cause | undefined;

  /** Remembers what a failed statement leaves behind. */
  add(event: ImportEvent, statement: StatementFacts, root: Cause): void {
    const { sqlstate = "" } = event;
    const { action, object = "", name, table } = statement;
    this.#last = root;
    if (isOutage(sqlstate) || /^53/.test(sqlstate)) this.#outage ??= root;
    if (action === "copy" || action === "insert" || /^REFRESH/i.test(statement.excerpt)) {
      this.#unfilled.add(name, root);
    } else if (action === "create" && alreadyThere.has(sqlstate)) {
      this.#unfilled.add(name, root);
    } else if (action === "create") {
      if (object.startsWith("INDEX ")) this.#missing.add(besideTable(name, table), root);
      else if (object.startsWith("LARGE OBJECT ")) this.#missing.add(object.toLowerCase(), root);
      else if (table === undefined) this.#missing.add(name, root);
      if (object.startsWith("EXTENSION ")) {
        this.#extensions.push({ schema: schemaOfExtension(event.statement), root });
      }
    }
    if (table !== undefined && (action === "create" || action === "other")) {
      this.#incomplete.add(table, root);
    }
  }

  /** The cause that a message follows from, if it does. */
  rootOf(event: ImportEvent): Cause | undefined {
    const { sqlstate = "", message, detail = "" } = event;
    if (sqlstate === "25P02" || message === "a worker process died unexpectedly") return this.#last;
    if (isOutage(sqlstate)) return this.#outage;
    switch (sqlstate) {
      case "23503":
        return this.#unfilled.find(/in table "([^"]+)"/.exec(detail)?.[1]);
      case "42830":
        return this.#incomplete.find(/referenced table "([^"]+)"/.exec(message)?.[1]);
      case "55000":
        return this.#unfilled.find(/^materialized view "([^"]+)" has not/.exec(message)?.[1]);
    }
    if (!notThere.has(sqlstate) || missingRole(event) !== undefined) return undefined;
    const names = namesIn(message);
    const part = /(?:for|of) (?:table|relation) "([^"]+)" does not exist$/.exec(message)?.[1];
    return (
      this.#missing.findOne(names) ??
      this.#incomplete.find(part) ??
      this.#extensionOf(names, message)
    );
  }

  /** The cause that keeps a table from being complete, if there is one. */
  rootOfTable(table: string): Cause | undefined {
    return this.#missing.get(table) ?? this.#unfilled.get(table) ?? this.#outage;
  }

  /** The extension that could have brought what is missing: in its schema, or in one that is not told. */
  #extensionOf(names: readonly string[], message: string): Cause | undefined {
    if (!extensionMembers.test(message)) return undefined;
    const schemas = new Set(names.map((name) => /^(.+)\.[^.]+$/.exec(name)?.[1]));
    return this.#extensions.find(
      ({ schema }) => schema === undefined || schemas.has(schema) || schemas.has(undefined),
    )?.root;
  }
}

/** What may belong to an extension, as messages call it. */
const extensionMembers =
  /^(?:type|data type|function|procedure|aggregate|operator|relation|schema|language|access method|foreign-data wrapper|text search|collation)\b/;

/** Causes by qualified name. Some messages tell names without their schema. */
class Names<Cause> {
  readonly #whole = new Map<string, Cause>();
  readonly #bare = new Map<string, Cause>();

  add(name: string | undefined, root: Cause): void {
    if (name === undefined) return;
    this.#whole.set(name, root);
    this.#bare.set(name.slice(name.indexOf(".") + 1), root);
  }

  get(name: string): Cause | undefined {
    return this.#whole.get(name);
  }

  find(name: string | undefined): Cause | undefined {
    if (name === undefined) return undefined;
    return this.#whole.get(name) ?? this.#bare.get(name);
  }

  findOne(names: readonly string[]): Cause | undefined {
    for (const name of names) {
      const root = this.find(name);
      if (root !== undefined) return root;
    }
    return undefined;
  }
}

/** True when the message says that PostgreSQL is gone, or going. */
function isOutage(sqlstate: string): boolean {
  return /^(?:08|57P)/.test(sqlstate);
}

/** An index lies in the schema of its table, and is made by its bare name. */
function besideTable(name: string | undefined, table = ""): string | undefined {
  const schema = /^(.+)\./.exec(table)?.[1];
  return name === undefined || schema === undefined ? name : `${schema}.${name}`;
}

function schemaOfExtension(statement: string): string | undefined {
  const schema = /\bWITH SCHEMA ("(?:[^"]|"")+"|[^\s;]+)/i.exec(statement)?.[1];
  return schema === undefined ? undefined : unquoteIdentifier(schema);
}
