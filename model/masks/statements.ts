import { quoteIdentifier as q } from "../base/sql";
import { nested } from "./compile";
import type { PlannedColumn, Rewrite } from "./plan";

/** The temporary table that masked rows are put into before they take the place of the others. */
const masked = "pg_temp.stagecraft_masked";

/** How many rows of each table are masked on trial. */
export const trialRows = 1000;

/** Counts rows, and under `m1`, `m2`, … the values that are going to be masked. */
export function countSql(rewrite: Rewrite): string {
  const counts = rewrite.masked.map(({ name }, i) => `count(${q(name)}) AS m${i + 1}`);
  return `SELECT ${["count(*) AS rows", ...counts].join(", ")} FROM ${source(rewrite)}`;
}

/** Masks a few rows without changing anything; whatever a mask stumbles over shows. */
export function trialSql(
  rewrite: Rewrite,
  columns: readonly PlannedColumn[] = rewrite.masked,
): string {
  const few = `(SELECT * FROM ${source(rewrite)} LIMIT ${trialRows})`;
  const outputs = columns.map(({ output }, i) => `${output} AS m${i + 1}`);
  const counts = columns.map((_, i) => `count(m${i + 1})`);
  const rows = `SELECT ${outputs.join(", ")} FROM ${withLevels(few, rewrite.alias, columns)}`;
  return `SELECT ${counts.join(", ")} FROM (${rows} OFFSET 0) AS trial`;
}

/** The statements that write a table anew, in one transaction; `fill` is between `empty` and `index`. */
export function rewriteSql(rewrite: Rewrite): {
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

/** The table's rows with what has to be computed first, all masks' levels side by side. */
function withLevels(rows: string, alias: string, columns: readonly PlannedColumn[]): string {
  const depth = Math.max(0, ...columns.map(({ levels }) => levels.length));
  const levels = Array.from({ length: depth }, (_, i) =>
    Object.fromEntries(columns.flatMap((column) => Object.entries(column.levels[i] ?? {}))),
  );
  // The last one goes by the table's name, so that expressions may say users.email.
  const from = nested(`${rows} AS ${q(alias)}`, levels);
  return depth === 0 ? from : from.replace(/ AS level_\d+$/, () => ` AS ${q(alias)}`);
}

function source({ target, withPartitions }: Rewrite): string {
  return withPartitions ? target : `ONLY ${target}`;
}
