import { nearest } from "../base/nearest";
import type { SettingProblem } from "../base/config-problem";
import type { MaskCatalogue } from "./catalogue";
import { columnText, parseColumnName, tableText, type ColumnName } from "./column-name";
import type { Mask, Masks } from "./mask";
import { placeKey, type Place, type Tables } from "./tables";

/** A mask where it belongs, under the name that somebody wrote. */
export interface Given extends Place {
  readonly path: string;
  readonly mask: Mask;
}

/** Finds the columns that masks name; by their places, with what is wrong. */
export function resolveMasks(
  masks: Masks,
  catalogue: MaskCatalogue,
  tables: Tables,
): { given: Map<string, Given>; problems: SettingProblem[] } {
  const given = new Map<string, Given>();
  const problems: SettingProblem[] = [];
  const stars: [string, Place[]][] = [];
  for (const [path, mask] of Object.entries(masks.columns)) {
    const found = findColumns(path, mask, catalogue, tables);
    if (typeof found === "string") problems.push({ path, text: found });
    else if (found.star) stars.push([path, found.places]);
    else {
      for (const place of found.places) {
        const key = placeKey(place);
        const other = given.get(key);
        if (other) problems.push({ path, text: `is the same column as ${other.path}; keep one` });
        else given.set(key, { ...place, path, mask });
      }
    }
  }
  // A line for one column goes before the line for all of them.
  for (const [path, places] of stars) {
    for (const place of places) {
      const key = placeKey(place);
      if (!given.has(key)) given.set(key, { ...place, path, mask: { mask: "public" } });
    }
  }
  return { given, problems };
}

function findColumns(
  path: string,
  mask: Mask,
  catalogue: MaskCatalogue,
  tables: Tables,
): { places: Place[]; star: boolean } | string {
  const name = parseColumnName(path);
  if (!name)
    return 'must be a column as SQL writes it: users.email, audit.entries.before, "Time Off"."Reason"';
  const table = tables.find(name.schema, name.table);
  if (!table) return unknownTable(name, catalogue);
  if (table.kind === "view" || table.kind === "materialized view")
    return `${tableText(table)} is a ${table.kind} and shows what is masked below it; leave this line out`;
  if (table.kind === "foreign")
    return `${tableText(table)} is a foreign table: its rows are on another server; drop it by a defuse statement`;
  if (name.column === "*") {
    if (mask.mask !== "public")
      return `only public can be given to all columns of a table; name the columns that ${mask.mask} is for`;
    return {
      star: true,
      places: table.columns
        .map((column) => ({ table, column }))
        .filter(({ column }) => tables.owner(table, column.name) === table),
    };
  }
  const column = table.columns.find((one) => one.name === name.column);
  if (!column) {
    const meant = nearest(
      name.column,
      table.columns.map((one) => one.name),
    );
    const fix =
      meant === undefined
        ? `there are ${table.columns.map((one) => one.name).join(", ")}`
        : `did you mean ${columnText({ ...name, column: meant })}?`;
    return `there is no such column; ${fix}`;
  }
  const owner = tables.owner(table, column.name);
  if (owner !== table)
    return `the column comes from ${tableText(owner)}; write ${columnText({ ...owner, column: column.name })}, its partitions and heirs follow`;
  return { star: false, places: [{ table, column }] };
}

function unknownTable({ schema, table, column }: ColumnName, { tables }: MaskCatalogue): string {
  const elsewhere = tables.find((one) => one.table === table);
  const candidates = tables.map(tableText);
  const meant = elsewhere
    ? tableText(elsewhere)
    : nearest(tableText({ schema, table }), candidates);
  const suffix = columnText({ schema: "public", table: "t", column }).slice(1);
  const fix = meant === undefined ? "check the name" : `did you mean ${meant}${suffix}?`;
  return `there is no such table; ${fix}`;
}
