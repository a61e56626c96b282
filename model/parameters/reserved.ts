/** Parameters that Stagecraft sets, and why. */
const reserved: readonly (readonly [RegExp, string])[] = [
  [/^(config_file|data_directory|external_pid_file)$/, "PostgreSQL's files are in its data volume"],
  [/^(hba_file|ident_file)$/, "the rules come from pgHba"],
  [/^(listen_addresses|port)$/, "it comes from postgres.port"],
  [/^unix_socket_/, "the agent connects over the socket"],
  [/^password_encryption$/, "passwords are stored as SCRAM verifiers"],
  [/^max_locks_per_transaction$/, "it is 256, because a restore locks every table at once"],
  [/^log_timezone$/, "logs are in UTC"],
  [/^archive_(command|library|timeout)$/, "it comes from backups.pointInTime"],
  [/^bonjour/, "servers are not announced on the network"],
  [/^ssl(_|$)/, "certificates come from postgres.tls"],
  [/^stagecraft\./, "it stores the provenance of a database"],
];

/** Why users cannot set a parameter, or `undefined` when they can. */
export function reservedReason(name: string): string | undefined {
  return reserved.find(([pattern]) => pattern.test(name.toLowerCase()))?.[1];
}

/** Replacements of parameters that older versions had, or that belong to a transaction. PostgreSQL's release notes. */
const replacements: Readonly<Record<string, string>> = {
  checkpoint_segments: "removed in PostgreSQL 9.5; use max_wal_size",
  wal_keep_segments: "removed in PostgreSQL 13; use wal_keep_size",
  operator_precedence_warning: "removed in PostgreSQL 14",
  vacuum_cleanup_index_scale_factor: "removed in PostgreSQL 14",
  stats_temp_directory: "removed in PostgreSQL 15",
  force_parallel_mode: "renamed to debug_parallel_query in PostgreSQL 16",
  promote_trigger_file: "removed in PostgreSQL 16",
  vacuum_defer_cleanup_age: "removed in PostgreSQL 16",
  db_user_namespace: "removed in PostgreSQL 17",
  old_snapshot_threshold: "removed in PostgreSQL 17; use idle_in_transaction_session_timeout",
  trace_recovery_messages: "removed in PostgreSQL 17",
  transaction_isolation: "it applies to one transaction; use default_transaction_isolation",
  transaction_read_only: "it applies to one transaction; use default_transaction_read_only",
  transaction_deferrable: "it applies to one transaction; use default_transaction_deferrable",
};

/** Why a parameter cannot be set in a configuration file any more, with its replacement; `undefined` for all others. */
export function removedReason(name: string): string | undefined {
  return Object.hasOwn(replacements, name) ? replacements[name] : undefined;
}
