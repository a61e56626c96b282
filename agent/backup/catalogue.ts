import type {
  Catalogue,
  CatalogueRequest,
  DeleteRequest,
  DeleteResult,
  PruneRequest,
  PruneResult,
} from "../../model/backup/catalogue-protocol";
import { withJobLock } from "../jobs/job-lock";
import { deletionProblems } from "../../model/backup/deletion-problems";
import { backupAgeProblem } from "../../model/backup/age-limit";
import type { BackupId } from "../../model/base/names";
import { pruneBackups, evaluateRetention } from "../repository/prune-backups";
import { observeBackups } from "./observe";
import { offsiteOnlyBackups } from "../repository/offsite-only";
import { readCatalogue, removeBackup } from "../repository/repository";
import { readSchedule } from "../jobs/schedule";
import { now } from "../system/clock";
import { AgentError } from "../system/errors";
import { withConnection } from "../postgres/connect";

/** Tells of all backups and failed attempts, and of what the rules say of them; changes nothing. */
export async function backups({ server, pins }: CatalogueRequest): Promise<Catalogue> {
  const moment = now();
  const seen = await withConnection("postgres", (client) => observeBackups(client, moment));
  const runs = seen.jobs.flatMap(({ kind, next }) => (kind === "backup" ? next.slice(0, 1) : []));
  const here = await readCatalogue(pins);
  const offsite = (await readSchedule().catch(() => undefined))?.offsite;
  const alone = await offsiteOnlyBackups(here, pins, offsite, moment);
  const isAlone = new Set(alone.entries.map(({ id }) => id));
  return {
    ...{ server, now: moment.toISOString() },
    entries: inOrder([...here.filter(({ id }) => !isAlone.has(id)), ...alone.entries]),
    judgements: inOrder([...(await evaluateRetention(pins, moment)), ...alone.judgements]),
    next: runs.sort()[0] ?? null,
    verifiedLimit: seen.verifiedLimit,
    late: backupAgeProblem(seen, moment) ?? null,
    freeBytes: seen.freeBytes,
  };
}

function inOrder<T extends { readonly id: BackupId }>(entries: readonly T[]): T[] {
  return [...entries].sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** Removes the backups that no rule keeps; with `dryRun` it only says which. */
export async function forgetBackups({ pins, dryRun }: PruneRequest): Promise<PruneResult> {
  if (dryRun) return { judgements: await evaluateRetention(pins, now()), removed: [] };
  return inTurn(async () => {
    const judgements = await evaluateRetention(pins, now());
    return { judgements, removed: await pruneBackups(pins, now()) };
  });
}

/** Removes the named backups for good, all or none of them. */
export async function deleteBackups({ pins, backups }: DeleteRequest): Promise<DeleteResult> {
  return inTurn(async () => {
    const problems = deletionProblems(backups, await readCatalogue(pins));
    if (problems.length > 0) throw new AgentError(`nothing was deleted: ${problems.join("; ")}`);
    for (const id of backups) await removeBackup(id);
    return { removed: [...backups] };
  });
}

/** While no job runs: what it reads or copies must not go. */
async function inTurn<T>(work: () => Promise<T>): Promise<T> {
  return withJobLock({ kind: "maintenance", name: null }, new AbortController().signal, work);
}
