import type { SettingValues } from "./check";

/**
 * Parameters of a server whose write-ahead log only has to bring it back after a crash: what a restore, an index build or
 * a mask writes into a new table is written once instead of twice. PostgreSQL manual, 14.4.7 and 19.5.1.
 */
const forCrashesOnly = { archive_mode: "off", wal_level: "minimal", max_wal_senders: "0" };

/** Who sets one of these wants more of the log, and says all of it. */
const saidByHand = [
  "archive_mode",
  "wal_level",
  "max_wal_senders",
  "max_replication_slots",
  "summarize_wal",
];

/** Parameters for the write-ahead log, `{}` where it stays as images/stagecraft-postgres has it: ready to be archived. */
export function logParameters(
  archivable: boolean,
  settings: SettingValues,
): Readonly<Record<string, string>> {
  return archivable || saidByHand.some((name) => name in settings) ? {} : forCrashesOnly;
}
