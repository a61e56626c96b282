/**
 * Settings of PostgreSQL. Those that servers are usually tuned with are here; any other goes by its name as well, in
 * camelCase or as PostgreSQL writes it: `{ workMem: "32 MB", "auto_explain.log_min_duration": "1 s" }`.
 *
 * Values are checked against what PostgreSQL knows of the setting: its type, unit, range and choices. A size is
 * `"32 MB"` (B, kB, MB, GB, TB), a time `"90 s"` (us, ms, s, min, h, d); a bare number counts PostgreSQL's own unit.
 * A setting that is taken out goes back to its default. A change is reloaded and ends no connection, except where a
 * restart is named. What PostgreSQL refuses is put back. PostgreSQL manual, chapter 19.
 */
export interface PostgresSettings {
  /** Memory of PostgreSQL's own cache. A change restarts PostgreSQL. PostgreSQL manual, 19.4.1. @default a quarter of the container's memory */
  readonly sharedBuffers?: string | undefined;
  /** Memory of one sort or hash table, of which a query may have several, before it goes to disk. 19.4.1. @default "4 MB", more from 1.6 GB of memory on */
  readonly workMem?: string | undefined;
  /** Memory of one VACUUM, CREATE INDEX or ALTER TABLE ADD FOREIGN KEY. 19.4.1. @default a sixteenth of the container's memory, at most "1 GB" */
  readonly maintenanceWorkMem?: string | undefined;
  /** Memory that the planner believes is there for caching, PostgreSQL's and the system's. Nothing is allocated. 19.7.2. @default three quarters of the container's memory */
  readonly effectiveCacheSize?: string | undefined;
  /** Space on disk that the temporary files of one session may take; `-1` for no limit. 19.4.2. @default -1 */
  readonly tempFileLimit?: string | undefined;

  /** Connections at once. A change restarts PostgreSQL. 19.3.1. @default 100 */
  readonly maxConnections?: number | undefined;
  /** Ends a statement that takes longer; `"0"` for never. Roles may have their own. 19.11.1. @default "0" */
  readonly statementTimeout?: string | undefined;
  /** Ends a statement that waits longer for a lock; `"0"` for never. 19.11.1. @default "0" */
  readonly lockTimeout?: string | undefined;
  /** Ends a session that stays idle in a transaction, with its locks, for longer; `"0"` for never. 19.11.1. @default "0" */
  readonly idleInTransactionSessionTimeout?: string | undefined;

  /** Libraries loaded at start, with commas: `"pg_stat_statements, auto_explain"`. A change restarts PostgreSQL. 19.11.3. @default none */
  readonly sharedPreloadLibraries?: string | undefined;
  /** Processes for parallel queries and extensions in all. A change restarts PostgreSQL. 19.4.6. @default 8 */
  readonly maxWorkerProcesses?: number | undefined;
  /** Processes for parallel queries in all. 19.4.6. @default 8 */
  readonly maxParallelWorkers?: number | undefined;
  /** Helpers of one parallel step of a query; 0 for none. 19.4.6. @default 2 */
  readonly maxParallelWorkersPerGather?: number | undefined;

  /** How much the write-ahead log says: `minimal`, `replica` or `logical`. A change restarts PostgreSQL. 19.5.1. @default "replica" */
  readonly walLevel?: string | undefined;
  /** Write-ahead log between two checkpoints, as a wish. 19.5.2. @default twice the container's memory */
  readonly maxWalSize?: string | undefined;
  /** Write-ahead log that is kept for use again; at least `"32 MB"`. 19.5.2. @default "80 MB" */
  readonly minWalSize?: string | undefined;
  /** Longest time between two checkpoints. 19.5.2. @default "5 min" */
  readonly checkpointTimeout?: string | undefined;
  /** Whether COMMIT waits for the disk: `on`, `off`, `local`, `remote_write`, `remote_apply`. `off` may lose the last commits in a crash, but breaks nothing. 19.5.1. @default "on" */
  readonly synchronousCommit?: string | undefined;

  /** What the planner takes a page read at random for, against 1 for one in order; about 1.1 on solid-state disks. 19.7.2. @default 4 */
  readonly randomPageCost?: number | undefined;
  /** Reads at once that the disk is good for, 0 to 1000; some hundreds on solid-state disks. 19.4.6. @default 1 */
  readonly effectiveIoConcurrency?: number | undefined;
  /** How fine the statistics of a column are, 1 to 10000. 19.7.4. @default 100 */
  readonly defaultStatisticsTarget?: number | undefined;
  /** Whether long queries are compiled. 19.7.4. @default true */
  readonly jit?: boolean | undefined;

  /** Whether tables are vacuumed and analyzed by themselves. 19.10. @default true */
  readonly autovacuum?: boolean | undefined;
  /** Changed part of a table that makes a vacuum due, 0 to 100. 19.10. @default 0.2 */
  readonly autovacuumVacuumScaleFactor?: number | undefined;

  /** Logs statements that took at least as long; `"0"` for all, `"-1"` for none. Their values may be in the log. 19.8.2. @default "-1" */
  readonly logMinDurationStatement?: string | undefined;
  /** Logs statements by kind: `none`, `ddl`, `mod` or `all`. 19.8.3. @default "none" */
  readonly logStatement?: string | undefined;
  /** Logs who connects; in force for new sessions. 19.8.3. @default false */
  readonly logConnections?: boolean | undefined;
  /** Logs waits for a lock that take longer than `deadlockTimeout`. 19.8.3. @default false */
  readonly logLockWaits?: boolean | undefined;
  /** What the dates and times of sessions are in, unless they ask for another: `"Europe/Vienna"`. 19.11.2. @default "UTC" */
  readonly timeZone?: string | undefined;

  /** Any other setting, by either of its names. */
  readonly [name: string]: string | number | boolean | undefined;
}
