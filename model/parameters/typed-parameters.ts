/**
 * PostgreSQL's parameters. The common ones are typed here; any other can be set by its name, in camelCase or in
 * PostgreSQL's notation: `{ workMem: "32 MB", "auto_explain.log_min_duration": "1 s" }`.
 *
 * Values are checked against the parameter's type, unit, range and choices in PostgreSQL. A size is `"32 MB"` (B, kB, MB,
 * GB, TB), a time `"90 s"` (us, ms, s, min, h, d); a number without a unit is in PostgreSQL's unit of the parameter.
 * A parameter that is removed is reset to its default. A change is applied by a reload, which closes no connection, unless
 * a restart is mentioned. If PostgreSQL rejects a change, it is rolled back. PostgreSQL manual, chapter 19.
 */
export interface PostgresParameters {
  /** Memory for PostgreSQL's shared cache. A change restarts PostgreSQL. PostgreSQL manual, 19.4.1. @default a quarter of the container's memory */
  readonly sharedBuffers?: string | undefined;
  /** Memory for one sort or hash table before it spills to disk; a query may use several. 19.4.1. @default "4 MB", more with at least 1.6 GB of memory */
  readonly workMem?: string | undefined;
  /** Memory for one VACUUM, CREATE INDEX or ALTER TABLE ADD FOREIGN KEY. 19.4.1. @default a sixteenth of the container's memory, at most "1 GB" */
  readonly maintenanceWorkMem?: string | undefined;
  /** The planner's estimate of memory for caching, PostgreSQL's and the system's. Nothing is allocated. 19.7.2. @default three quarters of the container's memory */
  readonly effectiveCacheSize?: string | undefined;
  /** Disk space for temporary files of one session; `-1` for no limit. 19.4.2. @default -1 */
  readonly tempFileLimit?: string | undefined;

  /** Maximum number of connections. A change restarts PostgreSQL. 19.3.1. @default 100 */
  readonly maxConnections?: number | undefined;
  /** Cancels statements that take longer; `"0"` disables it. Can be overridden per role. 19.11.1. @default "0" */
  readonly statementTimeout?: string | undefined;
  /** Cancels statements that wait longer for a lock; `"0"` disables it. 19.11.1. @default "0" */
  readonly lockTimeout?: string | undefined;
  /** Closes sessions that are idle in a transaction for longer and hold its locks; `"0"` disables it. 19.11.1. @default "0" */
  readonly idleInTransactionSessionTimeout?: string | undefined;

  /** Libraries loaded at start, separated by commas: `"pg_stat_statements, auto_explain"`. A change restarts PostgreSQL. 19.11.3. @default none */
  readonly sharedPreloadLibraries?: string | undefined;
  /** Maximum number of background processes, for parallel queries and extensions. A change restarts PostgreSQL. 19.4.6. @default 8 */
  readonly maxWorkerProcesses?: number | undefined;
  /** Maximum number of processes for parallel queries. 19.4.6. @default 8 */
  readonly maxParallelWorkers?: number | undefined;
  /** Maximum number of workers of one Gather node; 0 disables parallel queries. 19.4.6. @default 2 */
  readonly maxParallelWorkersPerGather?: number | undefined;

  /** Amount of information in WAL: `minimal`, `replica` or `logical`. A change restarts PostgreSQL. 19.5.1. @default "replica" */
  readonly walLevel?: string | undefined;
  /** Size of WAL between two checkpoints, a soft limit. 19.5.2. @default twice the container's memory */
  readonly maxWalSize?: string | undefined;
  /** Size of WAL files that are recycled instead of removed; at least `"32 MB"`. 19.5.2. @default "80 MB" */
  readonly minWalSize?: string | undefined;
  /** Longest time between two checkpoints. 19.5.2. @default "5 min" */
  readonly checkpointTimeout?: string | undefined;
  /** Whether COMMIT waits for the disk: `on`, `off`, `local`, `remote_write`, `remote_apply`. `off` may lose the last commits in a crash, without corrupting data. 19.5.1. @default "on" */
  readonly synchronousCommit?: string | undefined;

  /** The planner's cost of a random page read, relative to 1 for a sequential one; about 1.1 on solid-state disks. 19.7.2. @default 4 */
  readonly randomPageCost?: number | undefined;
  /** Concurrent reads that the disk handles well, 0 to 1000; some hundreds on solid-state disks. 19.4.6. @default 1 */
  readonly effectiveIoConcurrency?: number | undefined;
  /** Detail of column statistics, 1 to 10000. 19.7.4. @default 100 */
  readonly defaultStatisticsTarget?: number | undefined;
  /** Whether expensive queries are JIT-compiled. 19.7.4. @default true */
  readonly jit?: boolean | undefined;

  /** Whether tables are vacuumed and analyzed automatically. 19.10. @default true */
  readonly autovacuum?: boolean | undefined;
  /** Fraction of a table whose change triggers a vacuum, 0 to 100. 19.10. @default 0.2 */
  readonly autovacuumVacuumScaleFactor?: number | undefined;

  /** Logs statements that take at least this long; `"0"` for all, `"-1"` for none. Their values may appear in the log. 19.8.2. @default "-1" */
  readonly logMinDurationStatement?: string | undefined;
  /** Logs statements by kind: `none`, `ddl`, `mod` or `all`. 19.8.3. @default "ddl" on production, "none" elsewhere */
  readonly logStatement?: string | undefined;
  /** Logs connections; applies to new sessions. 19.8.3. @default true on production, false elsewhere */
  readonly logConnections?: boolean | undefined;
  /** Logs ends of sessions, with their duration; applies to new sessions. 19.8.3. @default true on production, false elsewhere */
  readonly logDisconnections?: boolean | undefined;
  /** Beginning of each line of the server log. 19.8.3. @default "%m [%p] %quser=%u,db=%d,client=%h " */
  readonly logLinePrefix?: string | undefined;
  /** Logs lock waits that take longer than `deadlockTimeout`. 19.8.3. @default true */
  readonly logLockWaits?: boolean | undefined;
  /** Default time zone of sessions: `"Europe/Vienna"`. 19.11.2. @default "UTC" */
  readonly timeZone?: string | undefined;

  /** Any other parameter, in either notation. */
  readonly [name: string]: string | number | boolean | undefined;
}
