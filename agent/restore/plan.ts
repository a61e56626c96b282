import type { Client } from "pg";
import { previewMasks } from "../../model/restore/mask-preview";
import type { RefreshPlan } from "../../model/restore/refresh-plan";
import type { RestoreRequest } from "../../model/restore/protocol";
import { reservedBytes } from "../../model/dump/space";
import { previewPending } from "../../model/upgrades/pending";
import { scriptLabel } from "../../model/upgrades/script";
import { readVerification } from "../repository/repository";
import { listDatabases } from "../postgres/databases";
import { messageOf } from "../system/errors";
import { withConnection } from "../postgres/connect";
import { findPreviousVersion } from "./existing-contents";
import { freeDataBytes } from "../postgres/free-space";
import { latestReports } from "../system/restore-reports";
import { swapBlockers } from "./swap-blockers";
import { readBackupColumns } from "./source/backup-columns";
import { findOffsiteCopy } from "./source/fetch-offsite";
import {
  findBackup,
  isRepositoryMounted,
  sourceFolder,
  type FoundBackup,
} from "./source/find-backup";

/** Past refreshes that tell how long the next one takes. */
const maxRefreshes = 3;

/** Tells what a restore of this request would do, and what speaks against it; changes nothing. */
export async function planRefresh(request: RestoreRequest): Promise<RefreshPlan> {
  return withConnection("postgres", async (client) => {
    const { server, database, source, prepare = {} } = request;
    const databases = await listDatabases(client);
    const live = databases.find(({ name }) => name === database);
    const broughtBackFrom = findPreviousVersion(databases, request)?.name ?? null;
    const problems = await swapBlockers(client, database);
    const unread =
      source.repository === undefined || isRepositoryMounted(request) ? null : source.repository;
    // A copy that is brought back needs no backup.
    const isLookedUp =
      source.repository !== undefined && unread === null && broughtBackFrom === null;
    const { offsite } = request;
    const copy =
      isLookedUp && offsite
        ? await collectProblem(problems, async () => findOffsiteCopy(request, offsite))
        : undefined;
    const found =
      isLookedUp && !offsite
        ? await collectProblem(problems, async () => findBackup(client, request))
        : undefined;
    const { upgrades, masks, defuse = [], keep = [] } = prepare;
    const known = upgrades && previewPending(upgrades, found?.database.upgrades);
    problems.push(...(known?.problems ?? []));
    const maybeApplied = (upgrades?.scripts ?? []).filter(
      (script) => known?.pending?.includes(scriptLabel(script)) ?? true,
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
      ...{ server, database, now: live?.stamp?.source.backup ?? null },
      backup: found ? await backupFacts(found) : null,
      copy: copy ?? null,
      ...{ broughtBackFrom, unread },
      upgrades: upgrades
        ? { scripts: upgrades.scripts.map(scriptLabel), pending: known?.pending ?? null }
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

async function backupFacts({ manifest, database }: FoundBackup): Promise<RefreshPlan["backup"]> {
  const { id, server, startedAt, postgres } = manifest;
  const verification = await readVerification(id, sourceFolder);
  const isProven = verification?.result === "passed" && verification.restored;
  return {
    ...{ id, server, takenAt: startedAt, bytes: database.bytes, postgres: postgres.version },
    rows: database.tables.reduce((sum, { rows }) => sum + rows, 0),
    verifiedAt: isProven ? verification.checkedAt : null,
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
      "there is not enough room on PostgreSQL's volume; free some space or move it to a larger disk",
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
