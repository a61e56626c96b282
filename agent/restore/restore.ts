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
import { failureLines, verdictLine } from "../../model/import-log/verdict-text";
import type { PreparationReport } from "../../model/restore/preparation";
import type { Verdict } from "../../model/import-log/verdict-schema";
import {
  rollBackDatabase,
  createRestrictedDatabase,
  databaseNames,
  dropDatabase,
  dropLeftovers,
  listDatabases,
  stampDatabase,
  swapDatabases,
} from "../postgres/databases";
import { swapBlockers } from "./swap-blockers";
import { prepareCandidate } from "../prepare/prepare";
import { fetchBackup, removeFetched } from "./source/fetch-offsite";
import { checkFiles, findBackup } from "./source/find-backup";
import { AgentError, messageOf } from "../system/errors";
import { explainDiskFull } from "../system/full-disk";
import { connect, waitForPostgres, withConnection } from "../postgres/connect";
import {
  clientEnvironment,
  connectionString,
  runWithStderrLines,
} from "../postgres/client-programs";
import { logLine } from "../system/progress";
import { createMissingRoles } from "../server/roles/ensure";
import { findDump, deleteDump } from "../system/received-dumps";
import { incrementGeneration } from "../system/restore-generation";
import { fileTimestamp, saveReport, createRestoreLog } from "../system/restore-reports";
import { stateFolder } from "../system/state-folder";
import { openDump, type Dump } from "./dump/open-dump";
import {
  findPreviousVersion,
  findExistingContents,
  type StampedDatabase,
} from "./existing-contents";
import { Recorder } from "./import/recorder";
import { findDataFolder, withDiskSpaceGuard } from "../postgres/free-space";
import { grantRights } from "./grants";
import { restoreAndCheck } from "./import/restore-and-check";
import {
  transferOwnership,
  createRestoreRole,
  releaseRestoreRole,
  removeRestoreRole,
} from "./import/restore-role";
import { waitForDatabaseLock } from "./database-lock";

/** Seconds that PostgreSQL may take to answer. */
const startSeconds = 60;

/**
 * Gives a database the contents of a dump: restore beside the live one, verdict, owner, statistics, rights, stamp, swap.
 * Until the swap the live database is untouched; whatever fails is in the result, never thrown.
 */
export async function restore(request: RestoreRequest): Promise<RestoreResult> {
  const run = new RestoreRun(request);
  const result = await run.run();
  if (result.result !== "unchanged" && result.result !== "kept") {
    // What happened stays true without its report.
    await saveReport(result).catch((error: unknown) => {
      logLine(`could not keep the report: ${messageOf(error)}`);
    });
  }
  return result;
}

class RestoreRun {
  readonly #startedAt = new Date();
  readonly #steps: { name: string; seconds: number }[] = [];
  #logName: string | undefined;
  #verdict: Verdict | undefined;

  readonly #prepared: PreparationReport = {};
  /** What is restored, with what only its manifest tells. */
  #source: Source;
  #exchangedAt: string | undefined;
  /** Rows of each table, where a manifest tells them. */
  #rows: ReadonlyMap<string, number> | undefined;

  constructor(private readonly request: RestoreRequest) {
    this.#source = request.source;
  }

  async run(): Promise<RestoreResult> {
    try {
      await waitForPostgres(startSeconds);
      return await withConnection("postgres", async (client) => this.#runLocked(client));
    } catch (error) {
      return this.#failed(messageOf(explainDiskFull(error)));
    }
  }

  async #runLocked(client: Client): Promise<RestoreResult> {
    const { database } = this.request;
    await waitForDatabaseLock(client, database);
    const databases = await listDatabases(client);
    const inPlace = await findExistingContents(client, databases, this.request);
    if (inPlace) {
      await this.#tidyUp(client);
      return this.#result(inPlace.result, inPlace.text);
    }
    await this.#refuse(client);
    const copy = findPreviousVersion(databases, this.request);
    if (copy) return this.#bringBack(client, copy);
    await dropLeftovers(client);
    const dump = await this.#openDump(client).catch(async (error: unknown) => {
      await removeFetched(database);
      throw error;
    });
    try {
      await createMissingRoles(client, database);
      await createRestoreRole(client);
      await this.#step("create", async () =>
        createRestrictedDatabase(client, candidateName(database), dump.databaseOptions),
      );
      const folder = await findDataFolder(client);
      await this.#fillAndJudge(dump, folder);
      if (this.#verdict?.outcome === "failed") return this.#failed();
      // What is done to the contents may need more room than the restore did.
      await withDiskSpaceGuard(folder, candidateName(database), async () =>
        this.#makeReady(client),
      );
      return await this.#takeName(client);
    } finally {
      await releaseRestoreRole(client);
      await this.#cleanUp();
    }
  }

  /** An attempt that was killed right after its swap has done the work, and left its role and the copy it replaced. */
  async #tidyUp(client: Client): Promise<void> {
    try {
      await dropLeftovers(client);
      await removeRestoreRole(client);
    } catch (error) {
      // The contents are there all the same, and the agent's main process looks again every minute.
      logLine(`could not clean up yet: ${messageOf(error)}`);
    }
  }

  /** What speaks against it is told before anything is done. */
  async #refuse(client: Client): Promise<void> {
    const foreign = dumpKindProblem(this.request);
    const found = [
      ...(foreign === undefined ? [] : [foreign]),
      ...(await swapBlockers(client, this.request.database)),
    ];
    if (found.length > 0) throw new AgentError(found.join("\n"));
  }

  /** A former copy that holds the contents takes the name again, as it was left. */
  async #bringBack(client: Client, { name, stamp }: StampedDatabase): Promise<RestoreResult> {
    const { database, source, restoreId } = this.request;
    this.#source = stamp.source;
    await stampDatabase(client, name, { ...stamp, restoreId });
    await incrementGeneration();
    const away = await this.#step("swap", async () => rollBackDatabase(client, database, name));
    this.#exchangedAt = new Date().toISOString();
    const text = `${database} is back at ${source.name}, as it was left; what was there is kept as ${previousVersionName(database)}`;
    return this.#result("brought back", text, away);
  }

  async #openDump(client: Client): Promise<Dump> {
    const { database, source } = this.request;
    if (source.repository !== undefined) return this.#openBackup(client);
    const received = await findDump(database, source.sha256 ?? "");
    if (!received)
      throw new AgentError(
        `${source.name} has not been received by the agent; run pulumi up again`,
      );
    const file = { ...received, name: source.name, unpacked: `${received.path}.unpacked` };
    return this.#step("read", async () => openDump(client, file, this.request));
  }

  async #openBackup(client: Client): Promise<Dump> {
    const { offsite } = this.request;
    if (offsite) await this.#step("fetch", async () => fetchBackup(this.request, offsite));
    return this.#step("read", async () => {
      const found = await findBackup(client, this.request);
      await checkFiles(found);
      this.#source = { ...this.#source, server: found.manifest.server };
      this.#rows = new Map(
        found.database.tables.map(({ schema, name, rows }) => [`${schema}.${name}`, rows]),
      );
      const unpacked = path.join(stateFolder, `${found.manifest.id}.unpacked`);
      const file = { ...found, name: this.request.source.name, unpacked, compared: true };
      return openDump(client, file, this.request);
    });
  }

  async #fillAndJudge(dump: Dump, folder: string | undefined): Promise<void> {
    const { database, source, roles } = this.request;
    this.#logName = `${fileTimestamp(this.#startedAt.toISOString())}-restore.log`;
    const masked = this.request.prepare?.masks !== undefined;
    const recorder = new Recorder(
      await createRestoreLog(this.#logName),
      masked ? redactEvent : undefined,
    );
    recorder.write(`restore of ${source.name} (${contentsId(source)}) into ${database}`);
    const target = { copy: candidateName(database), database, roles, rows: this.#rows, masked };
    this.#verdict = await restoreAndCheck(dump, target, folder, recorder, async (name, work) =>
      this.#step(name, work),
    );
  }

  async #makeReady(client: Client): Promise<void> {
    const { server, database, prepare: wanted } = this.request;
    const incoming = candidateName(database);
    await this.#step("hand over", async () => transferOwnership(client, incoming, database));
    if (wanted) {
      const hasLive = (await databaseNames(client)).has(database);
      await prepareCandidate(
        { server, database, hasLive },
        wanted,
        this.#prepared,
        async (name, work) => this.#step(name, work),
      );
    }
    await this.#step("analyse", async () => this.#analyse());
    // Last, because from here on the database's roles may connect.
    await this.#step("grants", async () => grantRights(incoming, database));
  }

  /** Statistics make the first queries fast; where one table refuses, the others still get theirs. */
  async #analyse(): Promise<void> {
    const args = [
      "--analyze-only",
      `--jobs=${availableParallelism()}`,
      "--quiet",
      `--dbname=${connectionString(candidateName(this.request.database))}`,
    ];
    await runWithStderrLines("vacuumdb", args, clientEnvironment(""), logLine);
  }

  async #takeName(client: Client): Promise<RestoreResult> {
    const { database, server, restoreId } = this.request;
    const source = this.#source;
    const outcome = this.#verdict?.outcome ?? "passed";
    const restoredAt = new Date().toISOString();
    await stampDatabase(client, candidateName(database), {
      server,
      restoreId,
      source,
      outcome,
      restoredAt,
    });
    await incrementGeneration();
    const away = await this.#step("swap", async () =>
      swapDatabases(client, database, this.request.keepPrevious),
    );
    this.#exchangedAt = new Date().toISOString();
    // The contents are live: a dump that stays behind costs space and nothing else.
    if (source.sha256 !== undefined) {
      await deleteDump(database, source.sha256).catch((error: unknown) => {
        logLine(`could not remove the dump: ${messageOf(error)}`);
      });
    }
    return this.#result(
      "restored",
      `${database} ← ${source.name}   ${this.#verdict ? verdictLine(this.#verdict) : ""}`,
      away,
    );
  }

  /** Whatever happened, nothing half-made stays; PostgreSQL may have to come back first. */
  async #cleanUp(): Promise<void> {
    try {
      await removeFetched(this.request.database);
      await waitForPostgres(startSeconds);
      const client = await connect("postgres");
      try {
        await dropDatabase(client, candidateName(this.request.database));
        await removeRestoreRole(client);
      } finally {
        await client.end();
      }
    } catch (error) {
      // The agent's main process looks for leftovers again every minute.
      logLine(`could not clean up yet: ${messageOf(error)}`);
    }
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

  #result(result: RestoreResult["result"], text: string, awaySeconds = 0): RestoreResult {
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
      awaySeconds,
      text,
      ...(this.#verdict === undefined ? {} : { verdict: this.#verdict }),
      ...(Object.keys(this.#prepared).length === 0 ? {} : { prepared: this.#prepared }),
      ...(this.#exchangedAt === undefined ? {} : { exchangedAt: this.#exchangedAt }),
      ...(this.#logName === undefined ? {} : { log: this.#logName }),
    };
  }

  async #step<T>(name: string, work: () => Promise<T>): Promise<T> {
    const started = performance.now();
    logLine(`${name} …`);
    try {
      return await work();
    } finally {
      this.#steps.push({ name, seconds: Math.round(performance.now() - started) / 1000 });
    }
  }
}
