import type { Client } from "pg";
import { previewMasks } from "../../model/restore/mask-preview";
import type { RefreshPlan } from "../../model/restore/refresh-plan";
import type { RestoreRequest } from "../../model/restore/protocol";
import { reservedBytes } from "../../model/dump/disk-space";
import { previewPending } from "../../model/upgrades/pending";
import { scriptLabel } from "../../model/upgrades/script";
import { listDatabases } from "../postgres/databases";
import { messageOf } from "../system/errors";
import { withConnection } from "../postgres/connect";
import { findPreviousVersion } from "./existing-contents";
import { freeDataBytes } from "../postgres/free-space";
import { latestReports } from "../system/restore-reports";
import { swapBlockers } from "./swap-blockers";
import { readBackupColumns } from "./source/backup-columns";
import { findOffsiteCopy } from "./source/fetch-offsite";
import { findBackup, isRepositoryMounted, type FoundBackup } from "./source/find-backup";

/** Past refreshes shown as an estimate of the duration. */
const maxRefreshes = 3;

/** Previews a restore: what it would do, and the problems that would make it fail. Read-only. */
export async function planRefresh(request: RestoreRequest): Promise<RefreshPlan> {
  return withConnection("postgres", async (client) => {
    const { server, database, source, prepare = {} } = request;
    const databases = await listDatabases(client);
    const live = databases.find(({ name }) => name === database);
    const previousVersion = findPreviousVersion(databases, request)?.name ?? null;
    const problems = await swapBlockers(client, database);
    const unread =
      source.repository === undefined || isRepositoryMounted(request) ? null : source.repository;
    // Rolling back to a previous version needs no backup.
    const needsBackup =
      source.repository !== undefined && unread === null && previousVersion === null;
    const { offsite } = request;
    const copy =
      needsBackup && offsite
        ? await collectProblem(problems, async () => findOffsiteCopy(request, offsite))
        : undefined;
    const found =
      needsBackup && !offsite
        ? await collectProblem(problems, async () => findBackup(client, request))
        : undefined;
    const { upgrades, masks, defuse = [], keep = [] } = prepare;
    const preview = upgrades && previewPending(upgrades, found?.database.upgrades);
    problems.push(...(preview?.problems ?? []));
    const maybeApplied = (upgrades?.scripts ?? []).filter(
      (script) => preview?.pending?.includes(scriptLabel(script)) ?? true,
    );
    const masking =
      masks &&
      previewMasks(
        masks,
        found && (await readBackupColumns(found)),
        maybeApplied.map(({ text }) => text),
      );
    problems.push(...(masking?.problems ?? []));
    return {
      server,
      database,
      now: live?.stamp?.source.backup ?? null,
      backup: found ? backupFacts(found) : null,
      copy: copy ?? null,
      broughtBackFrom: previousVersion,
      unread,
      upgrades: upgrades
        ? { scripts: upgrades.scripts.map(scriptLabel), pending: preview?.pending ?? null }
        : null,
      masks: masking?.scope ?? null,
      defuse: defuse.map(({ name }) => name),
      keep: keep.map(({ table }) => table),
      disk: found ? await diskFor(client, found, problems) : null,
      past: await recentRefreshes(database),
      problems,
    };
  });
}

/** Runs `find`; adds its error to `problems` and returns `undefined` if it fails. */
async function collectProblem<T>(
  problems: string[],
  find: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await find();
  } catch (error) {
    problems.push(messageOf(error));
    return undefined;
  }
}

function backupFacts({
  manifest,
  database,
  verification,
  authenticity,
}: FoundBackup): RefreshPlan["backup"] {
  const { id, server, startedAt, postgres } = manifest;
  const isVerified = verification?.result === "passed" && verification.restored;
  return {
    id,
    server,
    takenAt: startedAt,
    bytes: database.bytes,
    postgres: postgres.version,
    rows: database.tables.reduce((sum, { rows }) => sum + rows, 0),
    verifiedAt: isVerified ? verification.checkedAt : null,
    ...(authenticity && { signedBy: authenticity.key }),
  };
}

async function diskFor(
  client: Client,
  { database }: FoundBackup,
  problems: string[],
): Promise<RefreshPlan["disk"]> {
  const free = await freeDataBytes(client);
  if (free === null) return null;
  const needed = database.bytes + reservedBytes;
  if (needed > free)
    problems.push(
      "not enough free space on PostgreSQL's volume; free some space or move it to a larger disk",
    );
  return { needed, free };
}

async function recentRefreshes(database: string): Promise<RefreshPlan["past"]> {
  const reports = await latestReports();
  return reports
    .filter((report) => report.database === database && report.result === "restored")
    .slice(0, maxRefreshes)
    .map(({ steps, awaySeconds }) => ({
      seconds: Math.round(steps.reduce((sum, { seconds }) => sum + seconds, 0)),
      awaySeconds,
    }));
}
