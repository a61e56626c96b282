import { quoteIdentifier as q } from "../base/sql";
import { nestLevels } from "./compile";
import type { PlannedColumn, TableRewrite } from "./plan";

/** The temporary table for the masked rows, before they replace the original ones. */
const masked = "pg_temp.stagecraft_masked";

/** Number of rows per table in a trial. */
export const trialRows = 1000;

/** Counts the rows, and as `m1`, `m2`, … the values to mask. */
export function countSql(rewrite: TableRewrite): string {
  const counts = rewrite.masked.map(({ name }, i) => `count(${q(name)}) AS m${i + 1}`);
  return `SELECT ${["count(*) AS rows", ...counts].join(", ")} FROM ${source(rewrite)}`;
}

/** Masks a few rows without changing anything, to detect errors of masks. */
export function trialSql(
  rewrite: TableRewrite,
  columns: readonly PlannedColumn[] = rewrite.masked,
): string {
  const sample = `(SELECT * FROM ${source(rewrite)} LIMIT ${trialRows})`;
  const outputs = columns.map(({ output }, i) => `${output} AS m${i + 1}`);
  const counts = columns.map((_, i) => `count(m${i + 1})`);
  const rows = `SELECT ${outputs.join(", ")} FROM ${withLevels(sample, rewrite.alias, columns)}`;
  return `SELECT ${counts.join(", ")} FROM (${rows} OFFSET 0) AS trial`;
}

/** The statements that rewrite a table, to run in this order in one transaction. */
export function rewriteSql(rewrite: TableRewrite): {
  readonly mask: string;
  readonly empty: string;
  readonly fill: string;
} {
  const outputs = rewrite.columns.map((name) => {
    const column = rewrite.masked.find((one) => one.name === name);
    return column ? `${column.output} AS ${q(name)}` : q(name);
  });
  const from = withLevels(`(SELECT * FROM ${source(rewrite)})`, rewrite.alias, rewrite.masked);
  const columns = rewrite.columns.map(q).join(", ");
  return {
    mask: `CREATE TEMPORARY TABLE stagecraft_masked ON COMMIT DROP AS SELECT ${outputs.join(", ")} FROM ${from}`,
    empty: `TRUNCATE ${source(rewrite)}`,
    fill: `INSERT INTO ${rewrite.target} (${columns}) OVERRIDING SYSTEM VALUE SELECT ${columns} FROM ${masked}`,
  };
}

/** The table's rows with the intermediate columns of all masks, level by level. */
function withLevels(rows: string, alias: string, columns: readonly PlannedColumn[]): string {
  const depth = Math.max(0, ...columns.map(({ levels }) => levels.length));
  const levels = Array.from({ length: depth }, (_, i) =>
    Object.fromEntries(columns.flatMap((column) => Object.entries(column.levels[i] ?? {}))),
  );
  // The last level has the table's name as alias, so that expressions can use users.email.
  const from = nestLevels(`${rows} AS ${q(alias)}`, levels);
  return depth === 0 ? from : from.replace(/ AS level_\d+$/, () => ` AS ${q(alias)}`);
}

function source({ target, withPartitions }: TableRewrite): string {
  return withPartitions ? target : `ONLY ${target}`;
}
