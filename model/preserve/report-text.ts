import { formatCount, plural } from "../base/units";
import type { PreserveReport, PreservedTable } from "./protocol";

/** Formats the report of preserved tables: a summary line, and a line for each remark. */
export function preserveReportText({
  tables,
  log,
}: Omit<PreserveReport, "text" | "seconds">): string {
  if (tables.length === 0) return "no tables to preserve";
  const width = Math.max("log".length, ...tables.map(({ table }) => table.length));
  const remarkLines = tables.flatMap((table) =>
    remarks(table).map((remark) => `  ${table.table.padEnd(width)}   ${remark}`),
  );
  const logLine = log === undefined ? [] : [`  ${"log".padEnd(width)}   ${log}`];
  return [`preserved ${tables.map(summary).join(", ")}`, ...remarkLines, ...logLine].join("\n");
}

function summary({ table, state, rows, carried, same }: PreservedTable): string {
  if (state === "absent") return `${table} (does not exist yet)`;
  const present = carried + same;
  return present === rows
    ? `${table} (${plural(rows, "row")})`
    : `${table} (${formatCount(present)} of ${plural(rows, "row")})`;
}

function remarks({ state, aside, shortened, notes }: PreservedTable): string[] {
  const reasons = aside.map(({ reason, rows }) => `${formatCount(rows)} ${reason}`).join(", ");
  const count = aside.reduce((sum, { rows }) => sum + rows, 0);
  return [
    ...(state === "created" ? ["created, because the new contents do not have this table"] : []),
    ...(count === 0 ? [] : [`${plural(count, "row")} skipped: ${reasons}`]),
    ...(shortened === 0
      ? []
      : [`${plural(shortened, "row")} without the values of removed columns`]),
    ...notes,
  ];
}
