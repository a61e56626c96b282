import { availableParallelism } from "node:os";
import path from "node:path";
import type { Client } from "pg";
import { candidateName, previousVersionName } from "../../model/base/names";
import { dumpKindProblem } from "../../model/restore/compatibility";
import {
  contentsId,
  type RestoreRequest,
  type RestoreResult,
  type Source,
} from "../../model/restore/protocol";
import { redactEvent } from "../../model/import-log/redact-event";
import { withNotes } from "../../model/import-log/verdict-notes";
import { failureLines, verdictLine } from "../../model/import-log/verdict-text";
import type { SourceProperties } from "../../model/base/database-settings";
import { sumRows } from "../../model/base/table-key";
import { quoteIdentifier as q } from "../../model/base/sql";
import type { PreparationReport } from "../../model/restore/preparation";
import type { Verdict } from "../../model/import-log/verdict-schema";
import {
  createRestrictedDatabase,
  databaseNames,
  dropDatabase,
  dropLeftovers,
  listDatabases,
  stampDatabase,
} from "../postgres/databases";
import { rollBackDatabase, swapDatabases } from "../postgres/swap-databases";
import { swapBlockers } from "./swap-blockers";
import { applyOtherProperties, applySettings, applySettingsOf } from "./database-properties";
import { readBackupProperties } from "./source/backup-properties";
import { readProperties } from "../postgres/database-properties";
import { maskedImportFix } from "../prepare/masks/failure";
import { RestoreMasks } from "../prepare/masks/restore-masks";
import { prepareCandidate } from "../prepare/prepare";
import { fetchSourceBackup, removeFetched } from "./source/fetch-offsite";
import {
  checkFiles,
  findBackup,
  placeOf,
  trustSource,
  type BackupPlace,
} from "./source/find-backup";
import { AgentError, messageOf } from "../system/errors";
import { explainDiskFull } from "../system/full-disk";
import { waitForPostgres } from "../postgres/connect";
import { connectToOwnDatabase, withOwnDatabase } from "../postgres/own-database";
import {
  clientEnvironment,
  connectionString,
  runWithStderrLines,
} from "../postgres/client-programs";
import { dropUnusedLogins, type RestrictedLogin } from "../postgres/restricted-login";
import { logLine } from "../system/progress";
import { createMissingRoles } from "../server/roles/ensure";
import { findDump, deleteDump } from "../system/received-dumps";
import { incrementGeneration } from "../system/restore-generation";
import { fileTimestamp, saveReport, createRestoreLog } from "../system/restore-reports";
import { stateFolder } from "../system/state-folder";
import { openDump, type OpenedDump } from "./dump/open-dump";
import {
  findPreviousVersion,
  findExistingContents,
  type StampedDatabase,
} from "./existing-contents";
import { Recorder } from "./import/recorder";
import { findDataFolder, withDiskSpaceGuard } from "../postgres/free-space";
import { grantRights } from "./grants";
import { restoreAndCheck } from "./import/restore-and-check";
import { transferOwnership, createRestoreRole } from "./import/restore-role";
import { waitForDatabaseLock } from "./database-lock";

/** Seconds to wait for PostgreSQL to accept connections. */
const startSeconds = 60;

/** Options of {@link restoreOnly}. */
export interface RestoreOptions {
  /** Where the backup is. @default what the request names; an off-site copy is fetched first */
  readonly place?: BackupPlace | undefined;
  /** Whether a fetched copy stays: the caller removes it. @default false */
  readonly keepsFetched?: boolean | undefined;
  /** Checked before anything is changed, once the database is known to be missing: reasons not to restore. @default none */
  readonly reject?: (() => Promise<readonly string[]>) | undefined;
}

/**
 * Replaces the contents of a database with a dump: restores it into a candidate database, checks it, prepares it, grants
 * rights, stamps and swaps it. The live database is untouched until the swap. A failure is in the result; nothing is thrown.
 */
export async function restore(request: RestoreRequest): Promise<RestoreResult> {
  return recordRestore(await restoreOnly(request));
}

/** {@link restore} without its report, for a restore that is a part of another one. */
export async function restoreOnly(
  request: RestoreRequest,
  options: RestoreOptions = {},
): Promise<RestoreResult> {
  return new RestoreRun(request, options).run();
}

/** Saves the report of a restore, unless nothing was done. */
export async function recordRestore(result: RestoreResult): Promise<RestoreResult> {
  if (result.result !== "unchanged" && result.result !== "kept") {
    // Failing to save the report does not invalidate the restore.
    await saveReport(result).catch((error: unknown) => {
      logLine(`cannot save the report: ${messageOf(error)}`);
    });
  }
  return result;
}

/** A limit of a source's server counts only for the server that is recovered from it. */
const noLimit = { connectionLimit: undefined };

class RestoreRun {
  readonly #startedAt = new Date();
  readonly #steps: { name: string; seconds: number }[] = [];
  /** Seconds of steps within the current step. */
  #inner = 0;
  #logName: string | undefined;
  #verdict: Verdict | undefined;

  #login: RestrictedLogin | undefined;
  #masks: RestoreMasks | undefined;
  readonly #prepared: PreparationReport = {};
  /** The requested source, completed from the backup's manifest. */
  #source: Source;
  #swappedAt: string | undefined;
  /** Parameters and the like of the source's database, if it has them. */
  #properties: SourceProperties | undefined;
  readonly #notes: string[] = [];
  /** Rows of each table, if known from a manifest. */
  #rows: ReadonlyMap<string, number> | undefined;

  readonly #place: BackupPlace;

  constructor(
    private readonly request: RestoreRequest,
    private readonly options: RestoreOptions,
  ) {
    this.#source = request.source;
    this.#place = options.place ?? placeOf(request);
  }

  async run(): Promise<RestoreResult> {
    try {
      await waitForPostgres(startSeconds);
      return await withOwnDatabase(async (client) => this.#runLocked(client));
    } catch (error) {
      return this.#failed(messageOf(explainDiskFull(error)));
    }
  }

  async #runLocked(client: Client): Promise<RestoreResult> {
    const { database } = this.request;
    await waitForDatabaseLock(client, database);
    const databases = await listDatabases(client);
    const existing = await findExistingContents(client, databases, this.request);
    if (existing) {
      await this.#dropLeftovers(client);
      return this.#result(existing.result, existing.text);
    }
    await this.#checkPreconditions(client);
    const previous = findPreviousVersion(databases, this.request);
    if (previous) return this.#rollBack(client, previous);
    await dropLeftovers(client);
    await dropUnusedLogins(client);
    const dump = await this.#openDump(client).catch(async (error: unknown) => {
      await this.#removeFetched();
      throw error;
    });
    try {
      await createMissingRoles(client, database);
      const login = await createRestoreRole(this.request.prepare?.masks !== undefined);
      this.#login = login;
      if (dump.kind !== "plain") this.#properties ??= dump.archive.properties;
      await this.#step("create", async () => this.#create(client, dump, login));
      const folder = await findDataFolder(client);
      await this.#restoreAndCheck(dump, login, folder);
      if (this.#verdict?.outcome === "failed") return this.#failed();
      // Preparing the candidate may need more space than the restore.
      await withDiskSpaceGuard(folder, candidateName(database), async () =>
        this.#prepareCandidate(client, login),
      );
      return await this.#swap(client);
    } finally {
      await this.#cleanUp();
    }
  }

  /** Cleans up after an attempt that was killed right after its swap: the restore role and the replaced database remain. */
  async #dropLeftovers(client: Client): Promise<void> {
    try {
      await dropLeftovers(client);
      await dropUnusedLogins(client);
    } catch (error) {
      // The agent's main process tries again every minute.
      logLine(`cannot clean up yet: ${messageOf(error)}`);
    }
  }

  /** Throws an {@link AgentError} with all reasons not to restore, before anything is changed. */
  async #checkPreconditions(client: Client): Promise<void> {
    const kindProblem = dumpKindProblem(this.request);
    const problems = [
      ...(kindProblem === undefined ? [] : [kindProblem]),
      ...(await swapBlockers(client, this.request.database)),
      ...((await this.options.reject?.()) ?? []),
    ];
    if (problems.length > 0) throw new AgentError(problems.join("\n"));
  }

  /** Creates the empty candidate, where the live database is. */
  async #create(client: Client, dump: OpenedDump, login: RestrictedLogin): Promise<void> {
    const { database } = this.request;
    const { encoding, options } = dump.databaseOptions;
    const tablespace = (await readProperties(client, database))?.tablespace ?? "pg_default";
    const place = tablespace === "pg_default" ? [] : [`TABLESPACE = ${q(tablespace)}`];
    await createRestrictedDatabase(
      client,
      candidateName(database),
      { ...(encoding === undefined ? {} : { encoding }), options: [...options, ...place] },
      login.name,
    );
  }

  /** Swaps in the previous version that has the requested contents. */
  async #rollBack(client: Client, { name, stamp }: StampedDatabase): Promise<RestoreResult> {
    const { database, source, restoreId } = this.request;
    this.#source = stamp.source;
    await stampDatabase(client, name, { ...stamp, restoreId });
    await applySettingsOf(client, database, name);
    await incrementGeneration();
    const downtime = await this.#step("swap", async () => rollBackDatabase(client, database, name));
    this.#swappedAt = new Date().toISOString();
    const text = `${database} was rolled back to ${source.name}, as it was when it was replaced; the replaced contents are in ${previousVersionName(database)}`;
    return this.#result("brought back", text, downtime);
  }

  async #openDump(client: Client): Promise<OpenedDump> {
    const { database, source } = this.request;
    if (source.repository !== undefined) return this.#openBackup(client);
    const received = await findDump(database, source.sha256 ?? "");
    if (!received)
      throw new AgentError(`the agent has not received ${source.name}; run pulumi up again`);
    const file = {
      ...{ ...received, name: source.name, unpacked: `${received.path}.unpacked` },
      only: source.database,
    };
    return this.#step("read", async () => openDump(client, file, this.request));
  }

  async #openBackup(client: Client): Promise<OpenedDump> {
    const { offsite } = this.request;
    if (offsite && !this.options.place)
      await this.#step("fetch", async () => fetchSourceBackup(this.request, offsite));
    return this.#step("read", async () => {
      const found = await findBackup(client, this.request, this.#place);
      await checkFiles(found);
      await trustSource(this.request, found, this.#place);
      this.#source = { ...this.#source, server: found.manifest.server };
      const properties = await readBackupProperties(found);
      if ("problem" in properties) this.#notes.push(properties.problem);
      else this.#properties = properties.properties;
      this.#rows = sumRows(found.database.tables);
      const unpacked = path.join(stateFolder, `${found.manifest.id}.unpacked`);
      const file = { ...found, name: this.request.source.name, unpacked, compared: true };
      return openDump(client, file, this.request);
    });
  }

  async #restoreAndCheck(
    dump: OpenedDump,
    login: RestrictedLogin,
    folder: string | undefined,
  ): Promise<void> {
    const { database, source, roles } = this.request;
    this.#logName = `${fileTimestamp(this.#startedAt.toISOString())}-restore.log`;
    const masked = this.request.prepare?.masks !== undefined;
    const recorder = new Recorder(
      await createRestoreLog(this.#logName),
      masked ? redactEvent : undefined,
      masked ? maskedImportFix : undefined,
      this.request.unreachableViews,
    );
    recorder.write(`restore of ${source.name} (${contentsId(source)}) into ${database}`);
    const target = {
      candidate: candidateName(database),
      database,
      roles,
      rows: this.#rows,
      login,
      around: this.#restoreMasks(login),
      onProperties: (properties: SourceProperties) => {
        this.#properties ??= properties;
      },
      needsRows: this.request.kind === "production" && this.request.acceptSchemaOnly !== true,
    };
    this.#verdict = await restoreAndCheck(dump, target, folder, recorder, async (name, work) =>
      this.#step(name, work),
    );
  }

  #restoreMasks(login: RestrictedLogin): RestoreMasks | undefined {
    const { database, prepare: { masks, upgrades } = {} } = this.request;
    if (!masks) return undefined;
    const hasScripts = (upgrades?.scripts.length ?? 0) > 0;
    const restore = { candidate: candidateName(database), login, masks, hasScripts };
    this.#masks = new RestoreMasks(restore, async (name, work) => this.#step(name, work));
    return this.#masks;
  }

  async #prepareCandidate(client: Client, login: RestrictedLogin): Promise<void> {
    const { server, database, prepare: steps } = this.request;
    const candidate = candidateName(database);
    await this.#step("owner", async () => {
      await transferOwnership(client, candidate, database, login.name);
      // Before the upgrade scripts, which may need the search_path of the database.
      await this.#applySettings(client);
    });
    if (steps) {
      const hasLive = (await databaseNames(client)).has(database);
      await prepareCandidate(
        { server, database, hasLive, masks: this.#masks },
        steps,
        this.#prepared,
        async (name, work) => this.#step(name, work),
      );
    }
    await this.#step("analyse", async () => this.#analyse());
    // Last, because after this the database's roles may connect.
    await this.#step("grants", async () => grantRights(candidate, database));
  }

  async #applySettings(client: Client): Promise<void> {
    const { database, mode, prepare } = this.request;
    const policy = { all: mode === "when missing", masked: prepare?.masks !== undefined };
    const candidate = candidateName(database);
    const version = { database, candidate, source: this.#properties, policy };
    this.#notes.push(...(await applySettings(client, version)));
    if (this.#verdict) this.#verdict = withNotes(this.#verdict, this.#notes);
  }

  /** Collects statistics for the planner; a table that cannot be analysed is only logged. */
  async #analyse(): Promise<void> {
    const args = [
      "--analyze-only",
      `--jobs=${availableParallelism()}`,
      "--quiet",
      `--dbname=${connectionString(candidateName(this.request.database))}`,
    ];
    await runWithStderrLines("vacuumdb", args, clientEnvironment(), logLine);
  }

  async #swap(client: Client): Promise<RestoreResult> {
    const { database, server, restoreId } = this.request;
    const source = this.#source;
    const outcome = this.#verdict?.outcome ?? "passed";
    const restoredAt = new Date().toISOString();
    // Last, because the limit counts for the sessions that prepare the candidate, too.
    await applyOtherProperties(
      client,
      candidateName(database),
      await readProperties(client, database),
      this.#properties && { ...this.#properties, ...(this.request.mode === "replace" && noLimit) },
    );
    await stampDatabase(client, candidateName(database), {
      server,
      restoreId,
      source,
      outcome,
      restoredAt,
    });
    await incrementGeneration();
    const downtime = await this.#step("swap", async () =>
      swapDatabases(client, database, this.request.keepPrevious),
    );
    this.#swappedAt = new Date().toISOString();
    // The restore has succeeded: a dump that cannot be removed only costs space.
    if (source.sha256 !== undefined) {
      await deleteDump(database, source.sha256).catch((error: unknown) => {
        logLine(`cannot remove the dump: ${messageOf(error)}`);
      });
    }
    return this.#result(
      "restored",
      `${database} ← ${source.name}   ${this.#verdict ? verdictLine(this.#verdict) : ""}`,
      downtime,
    );
  }

  /** Drops the candidate and the restore role, after a failure too; waits for PostgreSQL to accept connections. */
  async #cleanUp(): Promise<void> {
    try {
      await this.#removeFetched();
      await waitForPostgres(startSeconds);
      const client = await connectToOwnDatabase();
      try {
        await dropDatabase(client, candidateName(this.request.database));
      } finally {
        await client.end();
      }
      await this.#login?.drop();
    } catch (error) {
      // The agent's main process tries again every minute.
      logLine(`cannot clean up yet: ${messageOf(error)}`);
    }
  }

  async #removeFetched(): Promise<void> {
    if (!this.options.keepsFetched) await removeFetched(this.request.database);
  }

  #failed(reason?: string): RestoreResult {
    const { server, source } = this.request;
    const head = `${server} was not changed: the import of ${source.name} failed`;
    const lines =
      this.#verdict?.outcome === "failed"
        ? failureLines(this.#verdict)
        : [`  cause     ${(reason ?? "unknown").replaceAll("\n", `\n${" ".repeat(12)}`)}`];
    const log =
      this.#logName === undefined
        ? []
        : [`  log       npx stagecraft log ${server} ${this.#logName}`];
    return this.#result("failed", [head, ...lines, ...log].join("\n"));
  }

  #result(result: RestoreResult["result"], text: string, downtimeSeconds = 0): RestoreResult {
    const { server, database, restoreId } = this.request;
    const source = this.#source;
    return {
      result,
      server,
      database,
      source,
      restoreId,
      startedAt: this.#startedAt.toISOString(),
      steps: this.#steps,
      awaySeconds: downtimeSeconds,
      text,
      ...(this.#verdict === undefined ? {} : { verdict: this.#verdict }),
      ...(Object.keys(this.#prepared).length === 0 ? {} : { prepared: this.#prepared }),
      ...(this.#swappedAt === undefined ? {} : { exchangedAt: this.#swappedAt }),
      ...(this.#logName === undefined ? {} : { log: this.#logName }),
    };
  }

  /** Runs a step. Its duration is without that of the steps within it, which come after it in the list. */
  async #step<T>(name: string, work: () => Promise<T>): Promise<T> {
    const started = performance.now();
    const outer = this.#inner;
    this.#inner = 0;
    const at = this.#steps.length;
    logLine(`${name} …`);
    try {
      return await work();
    } finally {
      const seconds = (performance.now() - started) / 1000;
      this.#steps.splice(at, 0, {
        name,
        seconds: Math.round((seconds - this.#inner) * 1000) / 1000,
      });
      this.#inner = outer + seconds;
    }
  }
}
