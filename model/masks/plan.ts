import type { ConfigProblem } from "../base/config-problem";
import { plural } from "../base/units";
import { quoteIdentifier as q } from "../base/sql";
import type { ForeignKeyFacts, MaskCatalogue, TableFacts } from "./catalogue";
import { columnText, tableText } from "./column-name";
import { columnType } from "./column-type";
import { compileMask, type CompiledMask, type MaskTarget } from "./compile";
import { fitProblems } from "./fit";
import { keyGroups, spreadMasks, type KeyGroup } from "./key-groups";
import type { Mask, Masks } from "./mask";
import { resolveMasks, type AssignedMask } from "./resolve";
import { columnKey, Tables, type TableColumn } from "./tables";

/** A masked column of a table. */
export interface PlannedColumn extends CompiledMask {
  readonly name: string;
  /** Display name: `users.email`, `audit.entries."Old"`. */
  readonly path: string;
  readonly mask: Mask;
}

/** A table that is rewritten, in one pass for all its masks. */
export interface TableRewrite {
  /** Name in SQL notation. */
  readonly target: string;
  /** Unqualified name, which expressions can use as a prefix of columns. */
  readonly alias: string;
  /** Display name: `users`, `audit.entries`. */
  readonly title: string;
  /** Whether its partitions are rewritten together, because a mask can move rows between them. */
  readonly withPartitions: boolean;
  /** Ids of the tables whose files are rewritten. */
  readonly relations: readonly number[];
  /** All columns that can be written, in order, without generated ones. */
  readonly columns: readonly string[];
  readonly masked: readonly PlannedColumn[];
  readonly rows: number;
  readonly bytes: number;
}

/** A column that has a mask other than `public`. */
export interface MaskedColumn {
  /** Id of the table that the column belongs to. */
  readonly table: number;
  readonly column: string;
  /** The column's name in the configuration, or the one of a foreign key's column that it has the mask of. */
  readonly path: string;
}

/** The plan to mask a database. */
export interface MaskPlan {
  /** Largest first, so that parallel rewrites end at about the same time. */
  readonly rewrites: readonly TableRewrite[];
  /** Foreign keys that are dropped during masking; creating them again checks every row. */
  readonly foreignKeys: readonly (ForeignKeyFacts & {
    readonly on: string;
    readonly title: string;
  })[];
  /** The columns that are masked, each in the table it belongs to. */
  readonly changed: readonly MaskedColumn[];
  /** Columns whose large objects are removed. */
  readonly emptied: readonly { readonly target: string; readonly column: string }[];
  /** Number of masked columns, and of their tables. */
  readonly columns: number;
  readonly tables: number;
  /** Number of all columns, and of those with a mask or `public`. */
  readonly all: number;
  readonly classified: number;
  /** Temporary disk space, in bytes. */
  readonly bytes: number;
  /** Limitations for the user, one sentence each. */
  readonly notes: readonly string[];
}

/** Number of tables that are rewritten in parallel. */
export const tablesAtOnce = 2;

/** Options of {@link planMasks}, for a database in which upgrade scripts add and remove columns. */
export interface MaskPlanOptions {
  /** Whether the column of a mask need not exist. @default every column must exist */
  readonly mayBeMissing?: (path: string) => boolean;
  /** Keys of columns whose values are masked already; see {@link columnKey}. @default none are */
  readonly done?: ReadonlySet<string>;
}

/** Result of planning masks. */
export interface PlannedMasks {
  readonly problems: ConfigProblem[];
  readonly plan: MaskPlan | undefined;
  /** Masks whose column does not exist and need not. */
  readonly missing: readonly string[];
}

/** Plans the masking of a database; there is a plan only if there are no problems. */
export function planMasks(
  catalogue: MaskCatalogue,
  masks: Masks,
  { mayBeMissing = () => false, done = new Set() }: MaskPlanOptions = {},
): PlannedMasks {
  const tables = new Tables(catalogue);
  const resolved = resolveMasks(masks, catalogue, tables, mayBeMissing);
  const { missing } = resolved;
  const groups = keyGroups(catalogue.foreignKeys, tables);
  const { spread, problems } = spreadMasks(resolved.assigned, groups);
  const assigned = new Map(resolved.assigned);
  for (const one of spread) assigned.set(columnKey(one), one);
  // A foreign key holds, so if one of its columns is masked, the others are.
  const isDone = (column: TableColumn): boolean =>
    (groups.get(columnKey(column))?.columns ?? [column]).some((one) => done.has(columnKey(one)));
  const changing = [...assigned.values()].filter(
    (one) => one.mask.mask !== "public" && !isDone(one),
  );
  const targets = new Map(
    changing.map((one) => [
      columnKey(one),
      targetOf(one, tables, catalogue, groups.get(columnKey(one))),
    ]),
  );
  const reported = new Set(problems.map(({ path }) => path));
  const all = [
    ...resolved.problems,
    ...problems,
    ...changing
      .filter(({ path }) => !reported.has(path))
      .flatMap((one) => maskProblems(one, targets.get(columnKey(one)))),
    ...(masks.classify === "strict" ? unclassified(tables, assigned) : []),
  ];
  if (all.length > 0) return { problems: all, plan: undefined, missing };
  return { problems: [], plan: buildPlan(catalogue, tables, assigned, changing, targets), missing };
}

/** Formats the plan in one line, for a preview: `14 columns in 5 tables; strict: all 131 columns are classified`. */
export function describeMaskPlan(plan: MaskPlan, masks: Masks): string {
  const what = `${plural(plan.columns, "column")} in ${plural(plan.tables, "table")}`;
  return masks.classify === "strict"
    ? `${what}; strict: all ${plural(plan.all, "column")} are classified`
    : `${what}; ${plural(plan.all - plan.classified, "column")} without a mask or public`;
}

interface SizedTarget {
  readonly target: MaskTarget;
  readonly singleColumnUnique: string | undefined;
  readonly rows: number;
}

/** Determines the constraints of a mask from its column and all columns in the same key. */
function targetOf(
  { table, column }: TableColumn,
  tables: Tables,
  { encoding }: MaskCatalogue,
  group: KeyGroup | undefined,
): SizedTarget {
  const columns = group?.columns ?? [{ table, column }];
  const types = columns.map((one) => columnType(one.column));
  const uniques = columns.flatMap((one) => uniquesOf(one, tables));
  const texts = types.filter((type) => type.family === "text");
  return {
    target: {
      column: column.name,
      typeName: column.type,
      type: columnType(column),
      isArray: column.isArray,
      isUnique: uniques.length > 0,
      bits: types.flatMap((type) => (type.family === "integer" ? [type.bits] : [])),
      maxLength: Math.min(...texts.map(({ maxLength }) => maxLength)),
      ignoresCase: texts.some(({ ignoresCase }) => ignoresCase),
      encoding,
      fullName: `${table.schema}.${table.table}.${column.name}`,
      rowKey: table.primaryKey,
    },
    singleColumnUnique: uniques.find(({ isPlain, columns }) => isPlain && columns.length === 1)
      ?.name,
    rows: Math.max(...columns.map((one) => rowsOf(one.table, tables))),
  };
}

function uniquesOf({ table, column }: TableColumn, tables: Tables): TableFacts["uniques"] {
  return tables
    .descendants(table)
    .flatMap(({ uniques }) => uniques.filter(({ columns }) => columns.includes(column.name)));
}

function rowsOf(table: TableFacts, tables: Tables): number {
  const leaves = tables.descendants(table).filter(({ kind }) => kind === "table");
  if (leaves.some(({ rows }) => rows < 0)) return -1;
  return leaves.reduce((sum, { rows }) => sum + rows, 0);
}

function maskProblems(
  { path, mask, column, table }: AssignedMask,
  target: SizedTarget | undefined,
): ConfigProblem[] {
  if (!target) return [];
  const by = "by" in mask ? mask.by : undefined;
  const unknown = by !== undefined && !table.columns.some(({ name }) => name === by);
  const problems = fitProblems(mask, column, target.target, target);
  if (unknown) {
    const names = table.columns.map(({ name }) => name).join(", ");
    problems.push(`by: "${by}" is not a column of ${tableText(table)}; it has ${names}`);
  }
  return problems.map((text) => ({ path, text }));
}

function unclassified(
  tables: Tables,
  assigned: ReadonlyMap<string, AssignedMask>,
): ConfigProblem[] {
  return classifiable(tables)
    .filter((column) => !assigned.has(columnKey(column)))
    .map(({ table, column }) => ({
      path: columnText({ ...table, column: column.name }),
      text: `is not classified (${column.type}); add a mask, or mask.public()`,
    }));
}

/** Columns that must be classified: all but generated ones. */
function classifiable(tables: Tables): TableColumn[] {
  return tables.owned.filter(({ column }) => !column.isGenerated);
}

function buildPlan(
  catalogue: MaskCatalogue,
  tables: Tables,
  assigned: ReadonlyMap<string, AssignedMask>,
  changing: readonly AssignedMask[],
  targets: ReadonlyMap<string, SizedTarget>,
): MaskPlan {
  const partitioned = rewrittenPartitionedTables(tables, changing);
  const leaves = tables.leaves.filter(
    (leaf) => !tables.ancestors(leaf).some((table) => partitioned.has(table)),
  );
  const rewrites = [...partitioned, ...leaves]
    .flatMap((table) => rewriteOf(table, tables, assigned, targets) ?? [])
    .sort((a, b) => b.bytes - a.bytes);
  const touched = new Set(rewrites.flatMap(({ relations }) => relations));
  const isTouched = (id: number): boolean => {
    const table = tables.get(id);
    return table !== undefined && tables.descendants(table).some((one) => touched.has(one.id));
  };
  const columns = classifiable(tables);
  return {
    rewrites,
    foreignKeys: catalogue.foreignKeys
      .filter(
        (key) =>
          isTouched(key.referenced) ||
          (isTouched(key.table) &&
            tables.pairs(key).some(({ referring }) => targets.has(columnKey(referring)))),
      )
      .flatMap((key) => {
        const table = tables.get(key.table);
        return table ? [{ ...key, on: full(table), title: tableText(table) }] : [];
      }),
    changed: changing.map(({ table, column, path }) => ({
      table: table.id,
      column: column.name,
      path,
    })),
    emptied: changing
      .filter(({ mask, column }) => mask.mask === "null" && isLargeObject(column))
      .map(({ table, column }) => ({ target: full(table), column: column.name })),
    columns: changing.length,
    tables: new Set(changing.map(({ table }) => table)).size,
    all: columns.length,
    classified: columns.filter((column) => assigned.has(columnKey(column))).length,
    bytes: rewrites.slice(0, tablesAtOnce).reduce((sum, { bytes }) => sum + 2 * bytes, 0),
    notes: notesOf(catalogue, tables, assigned),
  };
}

/** Partitioned tables in which a mask can move a row to another partition; the root of each hierarchy. */
function rewrittenPartitionedTables(
  tables: Tables,
  changing: readonly AssignedMask[],
): Set<TableFacts> {
  const moved = changing.filter(({ table, column }) =>
    tables.descendants(table).some(({ partitionKey }) => partitionKey.includes(column.name)),
  );
  return new Set(moved.map(({ table }) => table));
}

function rewriteOf(
  table: TableFacts,
  tables: Tables,
  assigned: ReadonlyMap<string, AssignedMask>,
  targets: ReadonlyMap<string, SizedTarget>,
): TableRewrite | undefined {
  const masked = table.columns.flatMap((column, i): PlannedColumn[] => {
    const owner = tables.owner(table, column.name);
    const key = `${owner.id}.${column.name}`;
    const [one, target] = [assigned.get(key), targets.get(key)];
    if (!one || !target) return [];
    const compiled = compileMask(one.mask, target.target, `stagecraft_${i + 1}`);
    const path = columnText({ ...table, column: column.name });
    return [{ name: column.name, path, mask: one.mask, ...compiled }];
  });
  if (masked.length === 0) return undefined;
  const withPartitions = table.kind === "partitioned";
  const leaves = withPartitions
    ? tables.descendants(table).filter(({ kind }) => kind === "table")
    : [table];
  return {
    target: full(table),
    alias: table.table,
    title: tableText(table),
    withPartitions,
    relations: leaves.map(({ id }) => id),
    columns: table.columns.filter(({ isGenerated }) => !isGenerated).map(({ name }) => name),
    masked,
    rows: rowsOf(table, tables),
    bytes: leaves.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}

function notesOf(
  catalogue: MaskCatalogue,
  tables: Tables,
  assigned: ReadonlyMap<string, AssignedMask>,
): string[] {
  const unmasked = tables.owned.filter(
    (one) => isLargeObject(one.column) && assigned.get(columnKey(one))?.mask.mask !== "null",
  );
  const names = unmasked.map(({ table, column }) => columnText({ ...table, column: column.name }));
  const foreign = catalogue.tables.filter(({ kind }) => kind === "foreign");
  return [
    ...(catalogue.largeObjects > 0 && names.length > 0
      ? [
          `${plural(catalogue.largeObjects, "large object")} in ${names.join(", ")} are not masked; mask.null() removes them`,
        ]
      : []),
    ...(catalogue.largeObjects > 0 && !tables.owned.some(({ column }) => isLargeObject(column))
      ? [
          `${plural(catalogue.largeObjects, "large object")} that no column of type oid references are not masked`,
        ]
      : []),
    ...foreign.map(
      (table) =>
        `${tableText(table)} is a foreign table: its rows on another server are not masked`,
    ),
  ];
}

function isLargeObject({ base, isArray }: TableColumn["column"]): boolean {
  return base === "oid" && !isArray;
}

function full({ schema, table }: TableFacts): string {
  return `${q(schema)}.${q(table)}`;
}
