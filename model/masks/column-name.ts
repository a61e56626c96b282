import { quoteIdentifier, unquoteIdentifier } from "../base/sql";

/** A column in the configuration of masks; `*` is all columns of a table. */
export interface ColumnName {
  readonly schema: string;
  readonly table: string;
  readonly column: string;
}

/** An identifier, quoted or not, at the beginning of a text. PostgreSQL manual, 4.1.1. */
const identifier = /^(?:"(?:[^"]|"")+"|[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*)/;

/** Parses `table.column` or `schema.table.column` in SQL notation; `undefined` for anything else. The default schema is `public`. */
export function parseColumnName(text: string): ColumnName | undefined {
  const parts: string[] = [];
  let rest = text;
  for (;;) {
    if (rest === "*" && parts.length > 0) {
      parts.push("*");
      break;
    }
    const [found] = identifier.exec(rest) ?? [];
    if (found === undefined) return undefined;
    parts.push(unquoteIdentifier(found));
    rest = rest.slice(found.length);
    if (rest === "") break;
    if (!rest.startsWith(".")) return undefined;
    rest = rest.slice(1);
  }
  const [column, table, schema = "public", more] = parts.reverse();
  if (column === undefined || table === undefined || more !== undefined) return undefined;
  return { schema, table, column };
}

/** Formats a table's name as in the configuration of masks: without the schema `public`, quoted if necessary. */
export function tableText({ schema, table }: Pick<ColumnName, "schema" | "table">): string {
  return schema === "public" ? word(table) : `${word(schema)}.${word(table)}`;
}

/** Formats a column's name as in the configuration of masks. */
export function columnText(name: ColumnName): string {
  return `${tableText(name)}.${name.column === "*" ? "*" : word(name.column)}`;
}

function word(name: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(name) ? name : quoteIdentifier(name);
}
