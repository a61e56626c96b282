import { formatBytes, formatCount, plural } from "../base/units";
import type { BackedUpDatabase, BackupFile } from "./manifest";

/** A file that lies in a backup's folder; its path is from there. */
export interface FoundFile {
  readonly path: string;
  readonly bytes: number;
  /** `null` for what is no ordinary file, and where the size tells enough already. */
  readonly sha256: string | null;
}

/** A table of a restored copy, with the rows in it. */
export interface RestoredTable {
  readonly schema: string;
  readonly name: string;
  readonly rows: number;
  /** It came with an extension, which may bring rows that no dump holds. */
  readonly ofExtension: boolean;
}

/** What is counted in a restored copy. */
export interface RestoredCounts {
  readonly tables: readonly RestoredTable[];
  readonly largeObjects: number;
}

/** What differs between a manifest's files and those that are there, a sentence each; empty when all is as it was. */
export function compareFiles(
  wanted: readonly BackupFile[],
  found: readonly FoundFile[],
): readonly string[] {
  const there = new Map(found.map((file) => [file.path, file]));
  const known = new Set(wanted.map(({ path }) => path));
  const problems = wanted.flatMap(({ path, bytes, sha256 }) => {
    const file = there.get(path);
    if (!file) return [`${path} is missing`];
    if (file.bytes < bytes) return [`${path} is cut short: ${sizes(file.bytes, bytes)}`];
    if (file.bytes > bytes) return [`${path} has grown: ${sizes(file.bytes, bytes)}`];
    return file.sha256 === sha256 ? [] : [`${path} was altered: its SHA-256 is another one`];
  });
  const unknown = found.filter(({ path }) => !known.has(path));
  return [...problems, ...unknown.map(({ path }) => `${path} is not of this backup`)];
}

/** What differs between a manifest's database and its restored copy, a sentence each. */
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

/** Problems told by name; the log has them all. */
const toldProblems = 5;

/** What is wrong with a backup, in a few lines. */
export function problemsText(id: string, problems: readonly string[]): string {
  const told = problems.slice(0, toldProblems);
  const more = problems.length - told.length;
  return [
    `backup ${id} is not good:`,
    ...told.map((problem) => `  ${problem}`),
    ...(more > 0 ? [`  and ${plural(more, "further problem")}`] : []),
  ].join("\n");
}

function sizes(found: number, wanted: number): string {
  const [has, had] = [formatBytes(found), formatBytes(wanted)];
  return has === had
    ? `${formatCount(found)} of ${formatCount(wanted)} bytes`
    : `${has} instead of ${had}`;
}
