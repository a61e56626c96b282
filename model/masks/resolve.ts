import { nearest } from "../base/nearest";
import type { ConfigProblem } from "../base/config-problem";
import type { MaskCatalogue } from "./catalogue";
import { columnText, parseColumnName, tableText, type ColumnName } from "./column-name";
import type { Mask, Masks } from "./mask";
import { columnKey, type TableColumn, type Tables } from "./tables";

/** A mask with its column, and the column's name in the configuration. */
export interface AssignedMask extends TableColumn {
  readonly path: string;
  readonly mask: Mask;
}

/**
 * Finds the columns of masks, by {@link columnKey}, and returns the problems.
 *
 * @param mayBeMissing Whether the column of a path need not exist; it is then in `missing`.
 */
export function resolveMasks(
  masks: Masks,
  catalogue: MaskCatalogue,
  tables: Tables,
  mayBeMissing: (path: string) => boolean,
): { assigned: Map<string, AssignedMask>; problems: ConfigProblem[]; missing: string[] } {
  const missing: string[] = [];
  const assigned = new Map<string, AssignedMask>();
  const problems: ConfigProblem[] = [];
  const wholeTables: [string, TableColumn[]][] = [];
  for (const [path, mask] of Object.entries(masks.columns)) {
    const found = findColumns(path, mask, catalogue, tables);
    if (typeof found === "string") problems.push({ path, text: found });
    else if ("missing" in found) {
      if (mayBeMissing(path)) missing.push(path);
      else problems.push({ path, text: found.missing });
    } else if (found.isWholeTable) wholeTables.push([path, found.columns]);
    else {
      for (const column of found.columns) {
        const key = columnKey(column);
        const other = assigned.get(key);
        if (other)
          problems.push({ path, text: `is the same column as ${other.path}; remove one of them` });
        else assigned.set(key, { ...column, path, mask });
      }
    }
  }
  // A line for one column takes precedence over a line for the whole table.
  for (const [path, columns] of wholeTables) {
    for (const column of columns) {
      const key = columnKey(column);
      if (!assigned.has(key)) assigned.set(key, { ...column, path, mask: { mask: "public" } });
    }
  }
  return { assigned, problems, missing };
}

function findColumns(
  path: string,
  mask: Mask,
  catalogue: MaskCatalogue,
  tables: Tables,
): { columns: TableColumn[]; isWholeTable: boolean } | { missing: string } | string {
  const name = parseColumnName(path);
  if (!name)
    return 'must be a column in SQL notation: users.email, audit.entries.before, "Time Off"."Reason"';
  const table = tables.find(name.schema, name.table);
  if (!table) return { missing: unknownTable(name, catalogue) };
  if (table.kind === "view" || table.kind === "materialized view")
    return `${tableText(table)} is a ${table.kind}, whose tables are masked; remove this line`;
  if (table.kind === "foreign")
    return `${tableText(table)} is a foreign table, whose rows are on another server; drop it in a defuse statement`;
  if (name.column === "*") {
    if (mask.mask !== "public")
      return `only public can be used for all columns of a table; list the columns for ${mask.mask}`;
    return {
      isWholeTable: true,
      columns: table.columns
        .map((column) => ({ table, column }))
        .filter(({ column }) => tables.owner(table, column.name) === table),
    };
  }
  const column = table.columns.find((one) => one.name === name.column);
  if (!column) {
    const suggestion = nearest(
      name.column,
      table.columns.map((one) => one.name),
    );
    const fix =
      suggestion === undefined
        ? `the table has ${table.columns.map((one) => one.name).join(", ")}`
        : `did you mean ${columnText({ ...name, column: suggestion })}?`;
    return { missing: `the column does not exist; ${fix}` };
  }
  const owner = tables.owner(table, column.name);
  if (owner !== table)
    return `the column is inherited from ${tableText(owner)}; write ${columnText({ ...owner, column: column.name })}, which includes partitions and inherited tables`;
  return { isWholeTable: false, columns: [{ table, column }] };
}

function unknownTable({ schema, table, column }: ColumnName, { tables }: MaskCatalogue): string {
  const inOtherSchema = tables.find((one) => one.table === table);
  const candidates = tables.map(tableText);
  const suggestion = inOtherSchema
    ? tableText(inOtherSchema)
    : nearest(tableText({ schema, table }), candidates);
  const suffix = columnText({ schema: "public", table: "t", column }).slice(1);
  const fix = suggestion === undefined ? "check the name" : `did you mean ${suggestion}${suffix}?`;
  return `the table does not exist; ${fix}`;
}
