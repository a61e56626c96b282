import { isDeepStrictEqual } from "node:util";
import type { Client } from "pg";
import type {
  ArchiveConfig,
  ArchiveRequest,
  ArchiveResult,
} from "../../../model/point-in-time/protocol";
import { parseInfo } from "../../../model/point-in-time/pgbackrest-info";
import {
  renderArchiveCommand,
  archiveFiles,
  renderArchiveParameters,
  renderRepositoryConfig,
  stanzaName,
} from "../../../model/point-in-time/archive-repository";
import { rejectExternal } from "../../postgres/external-connection";
import { AgentError, messageOf } from "../../system/errors";
import { waitForPostgres } from "../../postgres/connect";
import { logLine } from "../../system/progress";
import { configFiles } from "../../server/parameters/config-files";
import { reloadConfig } from "../../server/parameters/reload";
import { readTextIfExists, writeFileAtomically } from "../../system/atomic-file";
import { removeFile } from "../../system/real-folder";
import { archiveAll } from "./archiver";
import { readClusters } from "./archived-clusters";
import { backrest } from "./pgbackrest";
import {
  beginPeriod,
  endPeriod,
  readOwnArchiveState,
  readChoice,
  writeArchiveFile,
} from "./archive-state";
import { advisoryLocks } from "../../postgres/advisory-locks";
import { waitForLock } from "../../postgres/locks";
import { withOwnDatabase } from "../../postgres/own-database";

/** Advisory lock: one change of archiving at a time. */
const lock = advisoryLocks.archiving;

/**
 * Switches WAL archiving on or off by a reload. The archive remains: periods archived so far stay recoverable.
 */
export async function switchArchiving({ server, archive }: ArchiveRequest): Promise<ArchiveResult> {
  rejectExternal(server, "WAL archiving is");
  await waitForPostgres(60);
  return withOwnDatabase(async (client) => {
    await waitForLock(client, lock, { holder: "another change of archiving" });
    const changed = archive
      ? await switchOn(client, server, archive)
      : await switchOff(client, server);
    return { changed, on: archive !== null };
  });
}

async function switchOn(client: Client, server: string, choice: ArchiveConfig): Promise<boolean> {
  await requireArchiveMode(client, server);
  const stanza = stanzaName(await systemIdentifier(client));
  const state = await readOwnArchiveState(server);
  const others = Object.keys(state.periods).filter((name) => name !== stanza);
  if (others.length > 0 && state.periods[stanza] === undefined) {
    logLine(
      `${server} is a new cluster: it gets a stanza of its own in the archive, and the previous cluster stays recoverable`,
    );
  }
  const config = renderRepositoryConfig([...others, stanza], choice);
  const isNewConfig = (await readTextIfExists(archiveFiles.config)) !== config;
  if (isNewConfig) await writeArchiveFile(archiveFiles.config, config);
  const known = parseInfo(await backrest("info", { options: ["--output=json"] }));
  // Only if necessary: it fails while a backup is running.
  if (!known.some((info) => info.stanza === stanza && info.problem === undefined))
    await backrest("stanza-create", { stanza });
  if (await isArchiving(client, server, stanza)) {
    await beginPeriod(server, stanza, new Date());
    return (await saveChoice(choice)) || isNewConfig;
  }
  // Results of another archive_command say nothing about the new one.
  await client.query("SELECT pg_stat_reset_shared('archiver')");
  await writeFileAtomically(configFiles.archive, renderArchiveParameters(server, stanza));
  try {
    await reloadConfig(client);
    await archiveAll(client);
    await beginPeriod(server, stanza, new Date());
    await saveChoice(choice);
  } catch (error) {
    // Otherwise WAL would accumulate although archiving has never worked.
    await stopArchiving(client).catch((offError: unknown) => {
      logLine(`cannot switch archiving off again: ${messageOf(offError)}`);
    });
    throw new AgentError(`archiving was not switched on: ${messageOf(error)}`, { cause: error });
  }
  return true;
}

/** Saves the archiving options, which the agent's main process reloads; returns whether they changed. */
async function saveChoice(choice: ArchiveConfig): Promise<boolean> {
  if (isDeepStrictEqual(await readChoice(), choice)) return false;
  await writeArchiveFile(archiveFiles.choice, JSON.stringify(choice));
  return true;
}

async function switchOff(client: Client, server: string): Promise<boolean> {
  if ((await readTextIfExists(configFiles.archive)) === undefined) return false;
  // Before switching off: the recorded period must be recoverable.
  try {
    const stanza = stanzaName(await systemIdentifier(client));
    const end = (await archiveNow(client)) ?? (await archivedEnd(server, stanza));
    await endPeriod(server, stanza, end);
  } catch (error) {
    logLine(`cannot record the end of archiving: ${messageOf(error)}`);
  }
  await stopArchiving(client);
  return true;
}

/** Archives all WAL written before the returned time; `undefined` when that fails. */
async function archiveNow(client: Client): Promise<Date | undefined> {
  const before = new Date();
  try {
    await archiveAll(client);
    return before;
  } catch (error) {
    logLine(`the latest WAL is not in the archive: ${messageOf(error)}`);
    return undefined;
  }
}

/** The time up to which a cluster is archived; the epoch when nothing is archived. */
async function archivedEnd(server: string, stanza: string): Promise<Date> {
  const clusters = await readClusters(await readOwnArchiveState(server));
  return clusters.find(({ info }) => info.stanza === stanza)?.archivedUpTo ?? new Date(0);
}

/** Switches archiving off; PostgreSQL recycles its WAL from now on. */
async function stopArchiving(client: Client): Promise<void> {
  await removeFile(configFiles.archive);
  await reloadConfig(client);
}

/** Whether PostgreSQL archives into this stanza with the current command. */
export async function isArchiving(
  client: Client,
  server: string,
  stanza: string,
): Promise<boolean> {
  const { rows } = await client.query<{ command: string }>(
    "SELECT current_setting('archive_command') AS command",
  );
  return (
    rows[0]?.command === renderArchiveCommand(server, stanza) &&
    (await readTextIfExists(configFiles.archive)) === renderArchiveParameters(server, stanza)
  );
}

/** The system identifier: unique for each cluster, but shared by physical copies of it. */
export async function systemIdentifier(client: Client): Promise<string> {
  const { rows } = await client.query<{ system: string }>(
    "SELECT system_identifier::text AS system FROM pg_control_system()",
  );
  return rows[0]?.system ?? "";
}

async function requireArchiveMode(client: Client, server: string): Promise<void> {
  const { rows } = await client.query<{ mode: string }>(
    "SELECT current_setting('archive_mode') AS mode",
  );
  const mode = rows[0]?.mode;
  if (mode === "on") return;
  throw new AgentError(
    `backups.pointInTime of ${server} requires archive_mode = on, but it is ${mode ?? "unknown"}; remove archive_mode and wal_level from postgres.settings, which requires a restart`,
  );
}
