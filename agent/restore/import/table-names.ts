import type { Client } from "pg";
import type { StatementFacts } from "../../../model/dump/statement";

/** Where PostgreSQL finds a name: schema and table, the table absent if there is none of that name. */
interface Found {
  readonly schema: string | undefined;
  readonly table: string | undefined;
}

/**
 * Qualifies the names of tables in a dump that has them without schema. What such a name means depends on the session's
 * `search_path`, the schemas and the tables at that time, so PostgreSQL is asked.
 */
export class TableNames {
  readonly #found = new Map<string, Found>();

  /** @param client The session that restores the dump. */
  constructor(private readonly client: Client) {}

  /** The facts of a statement that comes next, with qualified names. */
  async qualify(facts: StatementFacts): Promise<StatementFacts> {
    const { action, name, table, object = "" } = facts;
    if (action === "copy" || action === "insert") {
      const sql = object.replace(/^TABLE /, "");
      if (name === undefined || !isBare(sql)) return facts;
      const found = await this.#find(sql);
      const whole = qualified(found?.schema, found?.table ?? name);
      return { ...facts, name: whole, table: whole };
    }
    // Anything else may change what names mean.
    this.#found.clear();
    const isRelation = action === "create" && relation.test(object);
    const bareName = isRelation && isBare(object.replace(relation, ""));
    const bareTable = table !== undefined && !table.includes(".");
    if (!bareName && !bareTable) return facts;
    const schema = (await this.#find(""))?.schema;
    return {
      ...facts,
      ...(bareName && name !== undefined && { name: qualified(schema, name) }),
      ...(bareTable && { table: qualified(schema, table) }),
    };
  }

  /** Whether a table is there. @param facts Of a COPY or an INSERT */
  async exists({ object = "" }: StatementFacts): Promise<boolean> {
    return (await this.#find(object.replace(/^TABLE /, "")))?.table !== undefined;
  }

  /** Finds a name in SQL notation; `undefined` when PostgreSQL does not answer, e.g. in a transaction that has failed. */
  async #find(name: string): Promise<Found | undefined> {
    const known = this.#found.get(name);
    if (known) return known;
    const found = await this.#ask(name).catch(() => undefined);
    if (found) this.#found.set(name, found);
    return found;
  }

  async #ask(name: string): Promise<Found | undefined> {
    // Hexadecimal, and escapes in the name, because the session has the encoding of the dump.
    const { rows } = await this.client.query<Record<"schema" | "table", string | null>>(
      `SELECT pg_catalog.encode(pg_catalog.convert_to(coalesce(n.nspname, pg_catalog.current_schema())::pg_catalog.text, 'UTF8'), 'hex') AS schema,
              pg_catalog.encode(pg_catalog.convert_to(c.relname::pg_catalog.text, 'UTF8'), 'hex') AS table
       FROM (SELECT ${name === "" ? "NULL::pg_catalog.regclass" : `pg_catalog.to_regclass(${escaped(name)})`} AS id) asked
       LEFT JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) asked.id
       LEFT JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace`,
    );
    const [row] = rows;
    const text = (hex: string | null | undefined): string | undefined =>
      hex == null ? undefined : Buffer.from(hex, "hex").toString("utf8");
    return row && { schema: text(row.schema), table: text(row.table) };
  }
}

const relation = /^(?:TABLE|VIEW|MATERIALIZED VIEW|FOREIGN TABLE|SEQUENCE) /;

/** Whether a name in SQL notation has no schema. */
function isBare(sql: string): boolean {
  return /^(?:"(?:[^"]|"")*"|[^".]+)$/.test(sql);
}

function qualified(schema: string | undefined, name: string): string {
  return schema === undefined ? name : `${schema}.${name}`;
}

/** A string constant in ASCII. PostgreSQL manual, 4.1.2.2. */
function escaped(text: string): string {
  const characters = Array.from(text, (character) => {
    const code = character.codePointAt(0) ?? 0;
    if (code >= 0x20 && code < 0x7f) return /['\\]/.test(character) ? `\\${character}` : character;
    return `\\U${code.toString(16).padStart(8, "0")}`;
  });
  return `E'${characters.join("")}'`;
}
