/** Settings that belong to Stagecraft, and why. */
const fixed: readonly (readonly [RegExp, string])[] = [
  [/^(config_file|data_directory|external_pid_file)$/, "PostgreSQL's files lie in its data volume"],
  [/^(hba_file|ident_file)$/, "the rules come from pgHba"],
  [/^(listen_addresses|port)$/, "postgres.port says where PostgreSQL is reached"],
  [/^unix_socket_/, "the agent reaches PostgreSQL by its socket"],
  [/^password_encryption$/, "passwords are kept as SCRAM verifiers"],
  [/^max_locks_per_transaction$/, "it is 256, because a restore locks every table"],
  [/^log_timezone$/, "logs are in UTC"],
  [/^archive_(command|library|timeout)$/, "backups.pointInTime says what is archived"],
  [/^bonjour/, "a server is not announced"],
  [/^ssl(_|$)/, "certificates come from postgres.tls"],
  [/^stagecraft\./, "it is the stamp of a database"],
];

/** Why a setting is Stagecraft's own, or `undefined` when a person may set it. */
export function whyFixed(name: string): string | undefined {
  return fixed.find(([pattern]) => pattern.test(name.toLowerCase()))?.[1];
}

/** What a setting of an older version, or of one transaction alone, is called where it can be set. PostgreSQL's release notes. */
const otherNames: Readonly<Record<string, string>> = {
  checkpoint_segments: "it ended with PostgreSQL 9.5; use max_wal_size",
  wal_keep_segments: "it ended with PostgreSQL 13; use wal_keep_size",
  operator_precedence_warning: "it ended with PostgreSQL 14",
  vacuum_cleanup_index_scale_factor: "it ended with PostgreSQL 14",
  stats_temp_directory: "it ended with PostgreSQL 15",
  force_parallel_mode: "it is debug_parallel_query since PostgreSQL 16",
  promote_trigger_file: "it ended with PostgreSQL 16",
  vacuum_defer_cleanup_age: "it ended with PostgreSQL 16",
  db_user_namespace: "it ended with PostgreSQL 17",
  old_snapshot_threshold: "it ended with PostgreSQL 17; use idle_in_transaction_session_timeout",
  trace_recovery_messages: "it ended with PostgreSQL 17",
  transaction_isolation: "it belongs to one transaction; use default_transaction_isolation",
  transaction_read_only: "it belongs to one transaction; use default_transaction_read_only",
  transaction_deferrable: "it belongs to one transaction; use default_transaction_deferrable",
};

/** What became of a setting that cannot be set any more, or by a file. */
export function whyGone(name: string): string | undefined {
  return Object.hasOwn(otherNames, name) ? otherNames[name] : undefined;
}
