import type { SettingProblem } from "../base/config-problem";
import { plural } from "../base/units";
import { quoteIdentifier as q } from "../base/sql";
import type { ForeignKeyFacts, MaskCatalogue, TableFacts } from "./catalogue";
import { columnText, tableText } from "./column-name";
import { columnType } from "./column-type";
import { compileMask, type CompiledMask, type MaskTarget } from "./compile";
import { fitProblems } from "./fit";
import { keyGroups, spreadMasks, type KeyGroup } from "./key-groups";
import type { Mask, Masks } from "./mask";
import { resolveMasks, type Given } from "./resolve";
import { placeKey, Tables, type Place } from "./tables";

/** A column that is masked, in one table. */
export interface PlannedColumn extends CompiledMask {
  readonly name: string;
  /** `users.email`, `audit.entries."Old"`: for people. */
  readonly path: string;
  readonly mask: Mask;
}

/** A table that is written anew, in one pass with all its masks. */
export interface Rewrite {
  /** As SQL writes it. */
  readonly target: string;
  /** Its name alone, which expressions may put before a column. */
  readonly alias: string;
  /** `users`, `audit.entries`: for people. */
  readonly title: string;
  /** Whether its partitions are written with it, because a mask can move rows from one to another. */
  readonly withPartitions: boolean;
  /** Tables whose files are made anew. */
  readonly relations: readonly number[];
  /** All columns that can be written, in order. */
  readonly columns: readonly string[];
  readonly masked: readonly PlannedColumn[];
  readonly rows: number;
  readonly bytes: number;
}

/** What is done to mask a database. */
export interface MaskPlan {
  /** The largest first, so that two at once end at about the same time. */
  readonly rewrites: readonly Rewrite[];
  /** Foreign keys that are taken off meanwhile; making them again checks every row. */
  readonly foreignKeys: readonly (ForeignKeyFacts & {
    readonly on: string;
    readonly title: string;
  })[];
  /** Columns whose large objects go with the references to them. */
  readonly emptied: readonly { readonly target: string; readonly column: string }[];
  /** How many columns are masked, in how many tables. */
  readonly columns: number;
  readonly tables: number;
  /** How many columns there are, and how many of them have a mask or `public`. */
  readonly all: number;
  readonly classified: number;
  /** Bytes that are needed beside the database for a while. */
  readonly bytes: number;
  /** What somebody should know and no mask can do, a sentence each. */
  readonly notes: readonly string[];
}

/** How many tables are written at the same time. */
export const tablesAtOnce = 2;

/** Finds out what to do about a database; there is a plan only without problems. */
export function planMasks(
  catalogue: MaskCatalogue,
  masks: Masks,
): { problems: SettingProblem[]; plan: MaskPlan | undefined } {
  const tables = new Tables(catalogue);
  const resolved = resolveMasks(masks, catalogue, tables);
  const groups = keyGroups(catalogue.foreignKeys, tables);
  const { spread, problems } = spreadMasks(resolved.given, groups);
  const given = new Map(resolved.given);
  for (const one of spread) given.set(placeKey(one), one);
  const changing = [...given.values()].filter(({ mask }) => mask.mask !== "public");
  const aims = new Map(
    changing.map((one) => [
      placeKey(one),
      aimAt(one, tables, catalogue, groups.get(placeKey(one))),
    ]),
  );
  const told = new Set(problems.map(({ path }) => path));
  const all = [
    ...resolved.problems,
    ...problems,
    ...changing
      .filter(({ path }) => !told.has(path))
      .flatMap((one) => misfits(one, aims.get(placeKey(one)))),
    ...(masks.classify === "strict" ? unclassified(tables, given) : []),
  ];
  if (all.length > 0) return { problems: all, plan: undefined };
  return { problems: [], plan: makePlan(catalogue, tables, given, changing, aims) };
}

/** The plan in a line, for a preview: `14 columns in 5 tables; strict: all 131 columns are classified`. */
export function describePlan(plan: MaskPlan, masks: Masks): string {
  const what = `${plural(plan.columns, "column")} in ${plural(plan.tables, "table")}`;
  return masks.classify === "strict"
    ? `${what}; strict: all ${plural(plan.all, "column")} are classified`
    : `${what}; ${plural(plan.all - plan.classified, "column")} without a mask or public`;
}

interface Aim {
  readonly target: MaskTarget;
  readonly uniqueAlone: string | undefined;
  readonly rows: number;
}

/** What a mask has to agree with, in its own column and in those that are one key with it. */
function aimAt(
  { table, column }: Place,
  tables: Tables,
  { encoding }: MaskCatalogue,
  group: KeyGroup | undefined,
): Aim {
  const places = group?.places ?? [{ table, column }];
  const types = places.map((place) => columnType(place.column));
  const uniques = places.flatMap((place) => uniquesOf(place, tables));
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
    uniqueAlone: uniques.find(({ isPlain, columns }) => isPlain && columns.length === 1)?.name,
    rows: Math.max(...places.map((place) => rowsOf(place.table, tables))),
  };
}

function uniquesOf({ table, column }: Place, tables: Tables): TableFacts["uniques"] {
  return tables
    .family(table)
    .flatMap(({ uniques }) => uniques.filter(({ columns }) => columns.includes(column.name)));
}

function rowsOf(table: TableFacts, tables: Tables): number {
  const known = tables.family(table).filter(({ kind }) => kind === "table");
  if (known.some(({ rows }) => rows < 0)) return -1;
  return known.reduce((sum, { rows }) => sum + rows, 0);
}

function misfits({ path, mask, column, table }: Given, aim: Aim | undefined): SettingProblem[] {
  if (!aim) return [];
  const by = "by" in mask ? mask.by : undefined;
  const unknown = by !== undefined && !table.columns.some(({ name }) => name === by);
  const problems = fitProblems(mask, column, aim.target, aim);
  if (unknown) {
    const names = table.columns.map(({ name }) => name).join(", ");
    problems.push(`by: "${by}" is no column of ${tableText(table)}; there are ${names}`);
  }
  return problems.map((text) => ({ path, text }));
}

function unclassified(tables: Tables, given: ReadonlyMap<string, Given>): SettingProblem[] {
  return classifiable(tables)
    .filter((place) => !given.has(placeKey(place)))
    .map(({ table, column }) => ({
      path: columnText({ ...table, column: column.name }),
      text: `is not classified (${column.type}); give it a mask, or mask.public()`,
    }));
}

/** Columns that somebody has to say something about: those that are not made of others. */
function classifiable(tables: Tables): Place[] {
  return tables.owned.filter(({ column }) => !column.isGenerated);
}

function makePlan(
  catalogue: MaskCatalogue,
  tables: Tables,
  given: ReadonlyMap<string, Given>,
  changing: readonly Given[],
  aims: ReadonlyMap<string, Aim>,
): MaskPlan {
  const wholes = wholeTables(tables, changing);
  const parts = tables.leaves.filter(
    (leaf) => !tables.above(leaf).some((table) => wholes.has(table)),
  );
  const rewrites = [...wholes, ...parts]
    .flatMap((table) => rewriteOf(table, tables, given, aims) ?? [])
    .sort((a, b) => b.bytes - a.bytes);
  const touched = new Set(rewrites.flatMap(({ relations }) => relations));
  const isTouched = (id: number): boolean => {
    const table = tables.get(id);
    return table !== undefined && tables.family(table).some((one) => touched.has(one.id));
  };
  const columns = classifiable(tables);
  return {
    rewrites,
    foreignKeys: catalogue.foreignKeys
      .filter(
        (key) =>
          isTouched(key.referenced) ||
          (isTouched(key.table) &&
            tables.pairs(key).some(({ referring }) => aims.has(placeKey(referring)))),
      )
      .flatMap((key) => {
        const table = tables.get(key.table);
        return table ? [{ ...key, on: full(table), title: tableText(table) }] : [];
      }),
    emptied: changing
      .filter(({ mask, column }) => mask.mask === "null" && isLargeObject(column))
      .map(({ table, column }) => ({ target: full(table), column: column.name })),
    columns: changing.length,
    tables: new Set(changing.map(({ table }) => table)).size,
    all: columns.length,
    classified: columns.filter((place) => given.has(placeKey(place))).length,
    bytes: rewrites.slice(0, tablesAtOnce).reduce((sum, { bytes }) => sum + 2 * bytes, 0),
    notes: notesOf(catalogue, tables, given),
  };
}

/** Partitioned tables in which a mask can move a row to another partition, the topmost of each tree. */
function wholeTables(tables: Tables, changing: readonly Given[]): Set<TableFacts> {
  const moved = changing.filter(({ table, column }) =>
    tables.family(table).some(({ partitionKey }) => partitionKey.includes(column.name)),
  );
  return new Set(moved.map(({ table }) => table));
}

function rewriteOf(
  table: TableFacts,
  tables: Tables,
  given: ReadonlyMap<string, Given>,
  aims: ReadonlyMap<string, Aim>,
): Rewrite | undefined {
  const masked = table.columns.flatMap((column, i): PlannedColumn[] => {
    const owner = tables.owner(table, column.name);
    const key = `${owner.id}.${column.name}`;
    const [one, aim] = [given.get(key), aims.get(key)];
    if (!one || !aim) return [];
    const compiled = compileMask(one.mask, aim.target, `stagecraft_${i + 1}`);
    const path = columnText({ ...table, column: column.name });
    return [{ name: column.name, path, mask: one.mask, ...compiled }];
  });
  if (masked.length === 0) return undefined;
  const withPartitions = table.kind === "partitioned";
  const leaves = withPartitions
    ? tables.family(table).filter(({ kind }) => kind === "table")
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
  given: ReadonlyMap<string, Given>,
): string[] {
  const kept = tables.owned.filter(
    (place) => isLargeObject(place.column) && given.get(placeKey(place))?.mask.mask !== "null",
  );
  const names = kept.map(({ table, column }) => columnText({ ...table, column: column.name }));
  const foreign = catalogue.tables.filter(({ kind }) => kind === "foreign");
  return [
    ...(catalogue.largeObjects > 0 && names.length > 0
      ? [
          `${plural(catalogue.largeObjects, "large object")} stay as they are, behind ${names.join(", ")}; mask.null() removes them`,
        ]
      : []),
    ...(catalogue.largeObjects > 0 && !tables.owned.some(({ column }) => isLargeObject(column))
      ? [
          `${plural(catalogue.largeObjects, "large object")} stay as they are, and no column of type oid refers to them`,
        ]
      : []),
    ...foreign.map(
      (table) =>
        `${tableText(table)} is a foreign table: it shows rows of another server, which no mask changes`,
    ),
  ];
}

function isLargeObject({ base, isArray }: Place["column"]): boolean {
  return base === "oid" && !isArray;
}

function full({ schema, table }: TableFacts): string {
  return `${q(schema)}.${q(table)}`;
}
