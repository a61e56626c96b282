import { formatCount, plural } from "../base/units";
import type { KeepReport, KeptTable } from "./protocol";

/** What was carried over, for people: one line when all is well, one more for each table that has something to tell. */
export function keepText({ tables, log }: Omit<KeepReport, "text" | "seconds">): string {
  if (tables.length === 0) return "nothing is to be kept";
  const width = Math.max("log".length, ...tables.map(({ table }) => table.length));
  const more = tables.flatMap((table) =>
    tellings(table).map((telling) => `  ${table.table.padEnd(width)}   ${telling}`),
  );
  const aside = log === undefined ? [] : [`  ${"log".padEnd(width)}   ${log}`];
  return [`kept ${tables.map(summary).join(", ")}`, ...more, ...aside].join("\n");
}

function summary({ table, state, rows, carried, same }: KeptTable): string {
  if (state === "absent") return `${table} (not there yet)`;
  const there = carried + same;
  return there === rows
    ? `${table} (${plural(rows, "row")})`
    : `${table} (${formatCount(there)} of ${plural(rows, "row")})`;
}

function tellings({ state, aside, shortened, notes }: KeptTable): string[] {
  const reasons = aside.map(({ reason, rows }) => `${formatCount(rows)} ${reason}`).join(", ");
  const count = aside.reduce((sum, { rows }) => sum + rows, 0);
  return [
    ...(state === "created" ? ["made here, because the new contents have no such table"] : []),
    ...(count === 0 ? [] : [`${plural(count, "row")} put aside: ${reasons}`]),
    ...(shortened === 0
      ? []
      : [`${plural(shortened, "row")} without the values of columns that are gone`]),
    ...notes,
  ];
}
