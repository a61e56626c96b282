import { tableKey, type PartitionRoots } from "../base/table-key";
import { formatBytes, formatCount, plural } from "../base/units";
import type { BackedUpDatabase, BackupFile } from "./manifest";

/** A file in the folder of a backup; its path is relative to that folder. */
export interface StoredFile {
  readonly path: string;
  readonly bytes: number;
  /** `null` if it is not a regular file, or the size already differs. */
  readonly sha256: string | null;
}

/** A table of a restored backup, with its row count. */
export interface RestoredTable {
  readonly schema: string;
  readonly name: string;
  readonly rows: number;
  /** Whether it belongs to an extension, which may create rows that are not part of a dump. */
  readonly ofExtension: boolean;
}

/** Counts from a restored backup. */
export interface RestoredCounts {
  readonly tables: readonly RestoredTable[];
  readonly largeObjects: number;
}

/** Differences between the files of a manifest and those in the folder, a sentence each; empty if there are none. */
export function compareFiles(
  expected: readonly BackupFile[],
  found: readonly StoredFile[],
): readonly string[] {
  const there = new Map(found.map((file) => [file.path, file]));
  const known = new Set(expected.map(({ path }) => path));
  const problems = expected.flatMap(({ path, bytes, sha256 }) => {
    const file = there.get(path);
    if (!file) return [`${path} is missing`];
    if (file.bytes < bytes) return [`${path} is truncated: ${sizes(file.bytes, bytes)}`];
    if (file.bytes > bytes) return [`${path} has grown: ${sizes(file.bytes, bytes)}`];
    return file.sha256 === sha256 ? [] : [`${path} was modified: its SHA-256 differs`];
  });
  const unknown = found.filter(({ path }) => !known.has(path));
  return [...problems, ...unknown.map(({ path }) => `${path} does not belong to this backup`)];
}

/** Differences between a database of the manifest and its restored copy, a sentence each. */
export function compareCounts(
  { name, tables, largeObjects }: Pick<BackedUpDatabase, "name" | "tables" | "largeObjects">,
  found: RestoredCounts,
): readonly string[] {
  const keyOf = ({ schema, name }: { schema: string; name: string }): string =>
    JSON.stringify([schema, name]);
  const there = new Map(found.tables.map((table) => [keyOf(table), table]));
  const known = new Set(tables.map(keyOf));
  const problems = tables.flatMap((table) => {
    const restored = there.get(keyOf(table));
    const label = `${name}: table ${table.schema}.${table.name}`;
    if (!restored) return [`${label} was not restored`];
    if (restored.rows === table.rows || restored.ofExtension) return [];
    return [`${label} has ${formatCount(restored.rows)} of ${plural(table.rows, "row")}`];
  });
  const unknown = found.tables.filter((table) => !known.has(keyOf(table)) && !table.ofExtension);
  problems.push(
    ...unknown.map(
      (table) => `${name}: table ${table.schema}.${table.name} is not in the manifest`,
    ),
  );
  if (found.largeObjects !== largeObjects) {
    problems.push(
      `${name}: ${formatCount(found.largeObjects)} of ${plural(largeObjects, "large object")}`,
    );
  }
  return problems;
}

/** Counts partitions between which rows may move as one table. */
export function countInRoots<T extends { schema: string; name: string; rows: number }>(
  tables: readonly T[],
  roots: PartitionRoots,
): T[] {
  const counted = new Map<string, T>();
  for (const table of tables) {
    const root = roots.get(tableKey(table)) ?? table;
    const key = JSON.stringify([root.schema, root.name]);
    const rows = (counted.get(key)?.rows ?? 0) + table.rows;
    counted.set(key, { ...table, schema: root.schema, name: root.name, rows });
  }
  return [...counted.values()];
}

/** Number of problems listed; the log contains all. */
const shownProblems = 5;

/** The problems of a backup, in a few lines. */
export function backupProblemsText(id: string, problems: readonly string[]): string {
  const shown = problems.slice(0, shownProblems);
  const more = problems.length - shown.length;
  return [
    `backup ${id} failed verification:`,
    ...shown.map((problem) => `  ${problem}`),
    ...(more > 0 ? [`  and ${plural(more, "further problem")}`] : []),
  ].join("\n");
}

function sizes(found: number, expected: number): string {
  const [has, had] = [formatBytes(found), formatBytes(expected)];
  return has === had
    ? `${formatCount(found)} of ${formatCount(expected)} bytes`
    : `${has} instead of ${had}`;
}
