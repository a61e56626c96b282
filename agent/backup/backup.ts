import type { Client } from "pg";
import {
  explainFailure,
  backupFailureText,
  type FailedAttempt,
} from "../../model/backup/backup-failure";
import type { BackupJob } from "../../model/backup/job";
import {
  backupBytes,
  manifestSchema,
  type BackedUpDatabase,
  type Manifest,
} from "../../model/backup/manifest";
import type { JobResult } from "../../model/backup/protocol";
import { backupSpaceProblem, neededBackupBytes } from "../../model/backup/backup-space";
import { splitBySize } from "../../model/backup/split-by-size";
import type { BackupId, ServerKind } from "../../model/base/names";
import { formatBytes, formatCount, formatDuration, plural } from "../../model/base/units";
import { version } from "../../model/base/version";
import { readApplication } from "../server/application/stored-application";
import { now } from "../system/clock";
import { AgentError, messageOf } from "../system/errors";
import { withJobLock } from "../jobs/job-lock";
import { waitForPostgres } from "../postgres/connect";
import { Progress, logLine } from "../system/progress";
import { forEachConcurrently } from "../system/concurrency";
import { selectDatabases, type SelectedDatabase } from "./select-databases";
import { dumpDatabase, defaultParallel } from "./dump-database";
import { DumpLog, pruneBackupLogs } from "../repository/backup-logs";
import {
  finishPartial,
  listFiles,
  unusedId,
  createPartial,
  removeLeftovers,
  removePartial,
} from "./partial-backup";
import { saveAttempt } from "../repository/repository";
import { listBackupIds, readManifest, repositoryFolder } from "../repository/stored-backup";
import { writeServerFiles } from "./server-files";
import { freeBackupBytes, watchFreeSpace } from "./disk-space";

/** Arguments of {@link makeBackup}. */
export interface BackupOptions {
  readonly server: string;
  readonly kind: ServerKind;
  /** The scheduled job; `null` for a manual backup. */
  readonly job: string | null;
  readonly settings: BackupJob;
  /** Seconds to wait for PostgreSQL to accept connections. */
  readonly connectTimeoutSeconds: number;
  /** Aborts the attempt; its reason is reported. */
  readonly signal: AbortSignal;
}

/** Makes a backup. A failure is in the result and in the catalogue; nothing is thrown. */
export async function makeBackup(options: BackupOptions): Promise<JobResult> {
  // Also applies to the files that child processes write.
  process.umask(0o077);
  return new BackupRun(options).run();
}

class BackupRun {
  readonly #startedAt = now();
  readonly #logs: string[] = [];
  readonly #stop = new AbortController();
  #id: BackupId | undefined;
  /** Database and log of the failure, for the error text. */
  #database: string | undefined;
  #log: string | undefined;

  constructor(private readonly options: BackupOptions) {}

  async run(): Promise<JobResult> {
    const { job, signal, connectTimeoutSeconds } = this.options;
    const onAbort = (): void => {
      this.#stop.abort(signal.reason);
    };
    signal.addEventListener("abort", onAbort);
    try {
      await waitForPostgres(connectTimeoutSeconds);
      return await withJobLock({ kind: "backup", name: job }, signal, async (client) => {
        for (const id of await removeLeftovers(now()))
          logLine(`removed ${id}, left behind by a killed backup`);
        return this.#make(client);
      });
    } catch (error) {
      return await this.#failed(error);
    } finally {
      signal.removeEventListener("abort", onAbort);
      await pruneBackupLogs().catch(() => undefined);
    }
  }

  async #make(client: Client): Promise<JobResult> {
    const { job, settings } = this.options;
    const startedAt = now();
    const id = await unusedId(startedAt);
    this.#id = id;
    const folder = await createPartial(id, startedAt, job).catch((error: unknown) => {
      throw new AgentError(`cannot write to the backup volume: ${messageOf(error)}`, {
        cause: error,
      });
    });
    const stopWatching = watchFreeSpace((reason) => {
      this.#stop.abort(reason);
    });
    try {
      const selected = await selectDatabases(client, settings.databases);
      this.#checkLost(selected);
      await this.#checkSpace(selected);
      const databases = await this.#dumpAll(selected, id, folder);
      logLine("roles, pg_hba.conf and parameters …");
      await writeServerFiles(client, folder, this.#stop.signal);
      logLine("checksums …");
      const manifest: Manifest = {
        format: 1,
        id,
        server: this.options.server,
        kind: this.options.kind,
        job,
        startedAt: startedAt.toISOString(),
        postgres: await readPostgres(client),
        agentVersion: version,
        applicationRevision: (await readApplication())?.revision ?? null,
        databases,
        allDatabases: settings.databases === undefined,
        files: await listFiles(folder),
        finishedAt: now().toISOString(),
      };
      this.#stop.signal.throwIfAborted();
      await finishPartial(id, manifestSchema.parse(manifest));
      return await this.#succeeded(manifest);
    } finally {
      stopWatching();
    }
  }

  /** Throws an {@link AgentError} when production has lost everything: a backup of nothing would become the newest one. */
  #checkLost(selected: readonly SelectedDatabase[]): void {
    const { kind, server } = this.options;
    if (kind !== "production" || selected.length > 0) return;
    throw new AgentError(
      `${server} has no database to back up; if its contents are lost, restore them: npx stagecraft recover ${server}`,
    );
  }

  /** Throws an {@link AgentError} when the backup would not fit on the backup volume. */
  async #checkSpace(selected: readonly SelectedDatabase[]): Promise<void> {
    const newest = (await listBackupIds()).at(-1);
    const previous = newest === undefined ? undefined : await readManifest(newest);
    const needed = neededBackupBytes(
      selected,
      this.options.settings.compression,
      previous && { databases: previous.databases, bytes: backupBytes(previous) },
    );
    const problem = backupSpaceProblem(needed, await freeBackupBytes());
    if (problem !== undefined) throw new AgentError(problem);
  }

  async #dumpAll(
    selected: readonly SelectedDatabase[],
    id: BackupId,
    folder: string,
  ): Promise<BackedUpDatabase[]> {
    const { server, settings } = this.options;
    const parallel = settings.parallel ?? defaultParallel;
    const total = selected.reduce((sum, { bytes }) => sum + bytes, 0);
    const progress = new Progress("backup", total, "nearly done");
    const backedUp = new Map<string, BackedUpDatabase>();
    const dump = async ({ name, bytes }: SelectedDatabase, jobs: number): Promise<void> => {
      const log = await DumpLog.open(id, name, this.#logs.length);
      this.#logs.push(log.name);
      log.write(`backup ${id} of ${name}, ${formatBytes(bytes)}`);
      const { signal } = this.#stop;
      try {
        const common = { server, backup: id, database: name, settings, parallel: jobs };
        const dumped = await dumpDatabase({ ...common, folder, log, progress, signal });
        if (dumped) {
          backedUp.set(name, dumped);
          const rows = dumped.tables.reduce((sum, table) => sum + table.rows, 0);
          log.write(`done: ${plural(dumped.tables.length, "table")}, ${formatCount(rows)} rows`);
        } else if (settings.databases === undefined) {
          log.write("skipped: the database no longer exists");
        } else {
          throw new AgentError(`database ${name} no longer exists`);
        }
      } catch (error) {
        // A dump that was aborted because another one failed is not the cause.
        if (!signal.aborted || signal.reason === this.options.signal.reason) {
          this.#database = name;
          this.#log = log.name;
        }
        this.#stop.abort(error);
        throw error;
      } finally {
        await log.close();
      }
    };
    const { large, small } = splitBySize(selected);
    for (const database of large) await dump(database, parallel);
    await forEachConcurrently(small, parallel, async (database) => dump(database, 1));
    return selected.flatMap(({ name }) => backedUp.get(name) ?? []);
  }

  async #succeeded(manifest: Manifest): Promise<JobResult> {
    const { id, databases } = manifest;
    const rows = databases
      .flatMap(({ tables }) => tables)
      .reduce((sum, table) => sum + table.rows, 0);
    const seconds = (now().getTime() - this.#startedAt.getTime()) / 1000;
    const names =
      databases.length > 3
        ? plural(databases.length, "database")
        : databases.map(({ name }) => name).join(", ");
    const text = `backup ${id}   ${names} · ${formatBytes(backupBytes(manifest))} · ${formatCount(rows)} rows · ${formatDuration(seconds)}`;
    const result = this.#result(true, text);
    // Failing to record it does not invalidate the backup.
    await saveAttempt({
      id,
      job: this.options.job,
      startedAt: manifest.startedAt,
      finishedAt: result.finishedAt,
      result: "backed up",
      text,
      logs: this.#logs,
    }).catch((error: unknown) => {
      logLine(`cannot save the record of backup ${id}: ${messageOf(error)}`);
    });
    return result;
  }

  async #failed(error: unknown): Promise<JobResult> {
    const { server, job, signal } = this.options;
    // Report the first failure, not those that followed from it.
    const reason: unknown = signal.aborted
      ? signal.reason
      : this.#stop.signal.aborted
        ? this.#stop.signal.reason
        : error;
    const attempt: FailedAttempt = { server, job, database: this.#database, log: this.#log };
    const text = backupFailureText(attempt, explainFailure(attempt, messageOf(reason)));
    const result = this.#result(false, text);
    const id = this.#id;
    if (id !== undefined) await this.#recordFailure(id, result);
    return result;
  }

  async #recordFailure(id: BackupId, { startedAt, finishedAt, text }: JobResult): Promise<void> {
    try {
      // First, because the record may need the space.
      await removePartial(id);
      await saveAttempt({
        id,
        job: this.options.job,
        startedAt,
        finishedAt,
        result: "failed",
        text,
        logs: this.#logs,
      });
    } catch (error) {
      logLine(`cannot clean up ${repositoryFolder} yet: ${messageOf(error)}`);
    }
  }

  #result(succeeded: boolean, text: string): JobResult {
    return {
      kind: "backup",
      name: this.options.job,
      succeeded,
      text,
      backup: this.#id ?? null,
      startedAt: this.#startedAt.toISOString(),
      finishedAt: now().toISOString(),
    };
  }
}

async function readPostgres(client: Client): Promise<Manifest["postgres"]> {
  const { rows } = await client.query<{ version: string; system: string }>(
    `SELECT current_setting('server_version') AS version,
            (SELECT system_identifier::text FROM pg_control_system()) AS system`,
  );
  const [facts] = rows;
  return { version: facts?.version.split(" ")[0] ?? "", systemIdentifier: facts?.system ?? "" };
}
