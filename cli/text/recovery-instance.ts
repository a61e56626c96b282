import type { CopyTableResult, RecoveryInstance } from "../../model/point-in-time/protocol";
import { utcText } from "../../model/point-in-time/recovery-target";
import { formatAge, formatBytes, formatDuration, plural } from "../../model/base/units";
import { alignColumns } from "../base/table";

/** What a side cluster is, and what can be done with it. */
export function recoveryInstanceText(stack: string, side: RecoveryInstance, now: Date): string {
  const { to, lastChangeAt, backup, databases, removedAt, seconds } = side;
  const left = (Date.parse(removedAt) - now.getTime()) / 1000;
  const rows = [
    ...databases.map(({ name, bytes }) => [name, formatBytes(bytes)]),
    ["from", `base backup ${backup} and the log behind it, ${formatDuration(seconds)}`],
    ["last change", lastChangeAt === null ? "none" : utcText(new Date(lastChangeAt))],
    ["removed in", left > 0 ? formatAge(left) : "a minute"],
    ["look", `npx stagecraft side ${stack} psql`],
    ["take over", `npx stagecraft side ${stack} copy-table <table>`],
    ["", `npx stagecraft side ${stack} copy-database`],
    ["remove", `npx stagecraft side ${stack} remove`],
  ];
  return [
    `${stack} as of ${to}, beside it; ${stack} itself was not touched`,
    ...alignColumns(rows, "  "),
  ].join("\n");
}

/** What became of a table that was taken over. */
export function copiedTableText(
  database: string,
  { schema, table, rows, seconds }: CopyTableResult,
): string {
  return `${database}: ${plural(rows, "row")} in ${schema}.${table}, ${formatDuration(seconds)}; keys, indexes and defaults did not come along`;
}
