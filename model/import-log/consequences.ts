import type { StatementFacts } from "../dump/statement";
import { unquoteIdentifier } from "../base/sql";
import type { ImportEvent } from "./event";
import { missingRole } from "./known-messages";
import { objectNamesIn } from "./object-names";

/** SQLSTATEs of "… does not exist". PostgreSQL manual, appendix A. */
const notFound = new Set(["42P01", "42704", "42883", "3F000", "42703"]);
const duplicate = new Set(["42P06", "42P07", "42710", "42723"]);

/**
 * Records which objects could not be created or filled, and finds the cause of later messages. A message is a consequence
 * only if it names such an object; in case of doubt it is a separate cause.
 */
export class Consequences<Cause extends object> {
  /** Objects whose CREATE failed. */
  readonly #missing = new CausesByName<Cause>();
  /** Tables and materialized views whose rows could not be loaded. */
  readonly #unfilled = new CausesByName<Cause>();
  /** Tables that lack a constraint, index, trigger or similar. */
  readonly #incomplete = new CausesByName<Cause>();
  readonly #extensions: { readonly schema: string | undefined; readonly root: Cause }[] = [];
  /** The possible cause of an outage of PostgreSQL. */
  #outage: Cause | undefined;
  #last: Cause | undefined;

  /** Records the effects of a failed statement. */
  add(event: ImportEvent, statement: StatementFacts, root: Cause): void {
    const { sqlstate = "" } = event;
    const { action, object = "", name, table } = statement;
    this.#last = root;
    if (isOutage(sqlstate) || /^53/.test(sqlstate)) this.#outage ??= root;
    if (action === "copy" || action === "insert" || /^REFRESH/i.test(statement.excerpt)) {
      this.#unfilled.add(name, root);
    } else if (action === "create" && duplicate.has(sqlstate)) {
      this.#unfilled.add(name, root);
    } else if (action === "create") {
      if (object.startsWith("INDEX ")) this.#missing.add(withSchemaOf(name, table), root);
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

  /** The cause of a message; `undefined` when it is not a consequence. */
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
    if (!notFound.has(sqlstate) || missingRole(event) !== undefined) return undefined;
    const names = objectNamesIn(message);
    const part = /(?:for|of) (?:table|relation) "([^"]+)" does not exist$/.exec(message)?.[1];
    return (
      this.#missing.findOne(names) ??
      this.#incomplete.find(part) ??
      this.#extensionOf(names, message)
    );
  }

  /** The cause of an incomplete table; `undefined` when there is none. */
  rootOfTable(table: string): Cause | undefined {
    return this.#missing.get(table) ?? this.#unfilled.get(table) ?? this.#outage;
  }

  /** The failed extension that may provide the missing object: one in the same schema, or if a schema is unknown. */
  #extensionOf(names: readonly string[], message: string): Cause | undefined {
    if (!extensionMembers.test(message)) return undefined;
    const schemas = new Set(names.map((name) => /^(.+)\.[^.]+$/.exec(name)?.[1]));
    return this.#extensions.find(
      ({ schema }) => schema === undefined || schemas.has(schema) || schemas.has(undefined),
    )?.root;
  }
}

/** Messages about objects that can belong to an extension. */
const extensionMembers =
  /^(?:type|data type|function|procedure|aggregate|operator|relation|schema|language|access method|foreign-data wrapper|text search|collation)\b/;

/** Causes by object name; some messages omit the schema. */
class CausesByName<Cause> {
  readonly #qualified = new Map<string, Cause>();
  readonly #unqualified = new Map<string, Cause>();

  add(name: string | undefined, root: Cause): void {
    if (name === undefined) return;
    this.#qualified.set(name, root);
    this.#unqualified.set(name.slice(name.indexOf(".") + 1), root);
  }

  get(name: string): Cause | undefined {
    return this.#qualified.get(name);
  }

  find(name: string | undefined): Cause | undefined {
    if (name === undefined) return undefined;
    return this.#qualified.get(name) ?? this.#unqualified.get(name);
  }

  findOne(names: readonly string[]): Cause | undefined {
    for (const name of names) {
      const root = this.find(name);
      if (root !== undefined) return root;
    }
    return undefined;
  }
}

/** True for messages about a lost connection or a shutdown of PostgreSQL. */
function isOutage(sqlstate: string): boolean {
  return /^(?:08|57P)/.test(sqlstate);
}

/** Qualifies an index, which is created without schema, with the schema of its table. */
function withSchemaOf(name: string | undefined, table = ""): string | undefined {
  const schema = /^(.+)\./.exec(table)?.[1];
  return name === undefined || schema === undefined ? name : `${schema}.${name}`;
}

function schemaOfExtension(statement: string): string | undefined {
  const schema = /\bWITH SCHEMA ("(?:[^"]|"")+"|[^\s;]+)/i.exec(statement)?.[1];
  return schema === undefined ? undefined : unquoteIdentifier(schema);
}
