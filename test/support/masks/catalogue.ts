import type {
  ColumnFacts,
  ForeignKeyFacts,
  MaskCatalogue,
  TableFacts,
} from "../../../model/masks/catalogue";

/** A column for a made-up catalogue; the type is the base type's name, with a modifier behind a colon: `varchar:20`. */
export function column(name: string, type = "text", more: Partial<ColumnFacts> = {}): ColumnFacts {
  const [base = "text", length] = type.split(":");
  return {
    name,
    type: length === undefined ? base : `${base}(${length})`,
    base,
    modifier: length === undefined ? -1 : Number(length) + 4,
    isArray: false,
    labels: null,
    notNull: false,
    isGenerated: false,
    ...more,
  };
}

/** A table for a made-up catalogue, in `public` and with 100 rows if not said otherwise. */
export function table(
  id: number,
  name: string,
  columns: readonly ColumnFacts[],
  more: Partial<TableFacts> = {},
): TableFacts {
  return {
    id,
    schema: "public",
    table: name,
    kind: "table",
    parents: [],
    rows: 100,
    bytes: 8192,
    columns,
    primaryKey: [],
    uniques: [],
    partitionKey: [],
    ...more,
  };
}

/** A unique index on columns. */
export const unique = (...columns: readonly string[]): TableFacts["uniques"][number] => ({
  name: `${columns.join("_")}_key`,
  columns,
  isPlain: true,
});

/** A foreign key of one column. */
export function foreignKey(
  name: string,
  [from, fromColumn]: readonly [number, string],
  [to, toColumn]: readonly [number, string],
): ForeignKeyFacts {
  return {
    name,
    table: from,
    columns: [fromColumn],
    referenced: to,
    referencedColumns: [toColumn],
    definition: `FOREIGN KEY (${fromColumn}) REFERENCES t (${toColumn})`,
    comment: null,
  };
}

/** A made-up database. */
export function catalogue(
  tables: readonly TableFacts[],
  more: Partial<MaskCatalogue> = {},
): MaskCatalogue {
  return { encoding: "UTF8", tables, foreignKeys: [], largeObjects: 0, ...more };
}
