import type {
  CopyTableResult,
  RecoveryInstance,
  RestoreTableResult,
} from "../../model/point-in-time/protocol";
import { utcText } from "../../model/point-in-time/recovery-target";
import { formatAge, formatBytes, formatDuration, plural } from "../../model/base/units";
import { alignColumns } from "../base/table";

/** What is printed of a recovery instance: its databases, source and age, and the commands for it. */
export function recoveryInstanceText(stack: string, instance: RecoveryInstance, now: Date): string {
  const { to, lastChangeAt, backup, databases, removedAt, seconds } = instance;
  const left = (Date.parse(removedAt) - now.getTime()) / 1000;
  const rows = [
    ...databases.map(({ name, bytes }) => [name, formatBytes(bytes)]),
    ["from", `base backup ${backup} and the WAL after it, ${formatDuration(seconds)}`],
    ["last change", lastChangeAt === null ? "none" : utcText(new Date(lastChangeAt))],
    ["removed in", left > 0 ? formatAge(left) : "a minute"],
    ["psql", `npx stagecraft pitr ${stack} psql`],
    ["copy", `npx stagecraft pitr ${stack} copy-table <table>`],
    ["", `npx stagecraft pitr ${stack} copy-database`],
    ["restore", `npx stagecraft pitr ${stack} restore-table <dropped table>`],
    ["remove", `npx stagecraft pitr ${stack} remove`],
  ];
  return [
    `recovery instance of ${stack} as of ${to}, read-only; ${stack} itself was not changed`,
    ...alignColumns(rows, "  "),
  ].join("\n");
}

/** Result of copying a table from the recovery instance. */
export function copiedTableText(
  database: string,
  { schema, table, rows, seconds }: CopyTableResult,
): string {
  return `${database}: ${plural(rows, "row")} in ${schema}.${table}, ${formatDuration(seconds)}; without keys, indexes and defaults`;
}

/** Result of bringing a dropped table back from the recovery instance. */
export function restoredTableText(
  database: string,
  { schema, table, rows, restored, notes, seconds }: RestoreTableResult,
): string {
  const others = restored.filter((name) => name !== `${schema}.${table}`);
  return [
    `${database}: ${schema}.${table} is back in its place, ${plural(rows, "row")}, ${formatDuration(seconds)}`,
    ...(others.length === 0 ? [] : [`  with      ${others.join(", ")}`]),
    ...notes.map((text) => `  check     ${text}`),
  ].join("\n");
}
