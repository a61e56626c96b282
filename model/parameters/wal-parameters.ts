import type { ParameterValues } from "./check";

/**
 * Parameters of a server that needs WAL for crash recovery only: what a restore, an index build or a mask writes into a
 * new table skips WAL. PostgreSQL manual, 14.4.7 and 19.5.1.
 */
const crashRecoveryOnly = { archive_mode: "off", wal_level: "minimal", max_wal_senders: "0" };

/** When the user sets one of these, Stagecraft sets none of them. */
const userControlled = [
  "archive_mode",
  "wal_level",
  "max_wal_senders",
  "max_replication_slots",
  "summarize_wal",
];

/** WAL parameters; `{}` to keep the defaults of images/stagecraft-postgres, which allow archiving. */
export function walParameters(
  canArchive: boolean,
  parameters: ParameterValues,
): Readonly<Record<string, string>> {
  return canArchive || userControlled.some((name) => name in parameters) ? {} : crashRecoveryOnly;
}
