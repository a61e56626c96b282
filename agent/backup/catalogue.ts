import type { Catalogue, CatalogueRequest } from "../../model/backup/catalogue-protocol";
import type { BackupId } from "../../model/base/names";
import { evaluateRetention } from "../repository/prune-backups";
import { observeBackups } from "./observe";
import { offsiteOnlyBackups } from "../repository/offsite-only";
import { readBackupCatalogue } from "../repository/repository";
import { readSchedule } from "../jobs/schedule";
import { now } from "../system/clock";
import { withConnection } from "../postgres/connect";

/** All backups, those off-site only among them, and failed attempts, with what the retention rules say of each. Read-only. */
export async function listBackups({ server, pins }: CatalogueRequest): Promise<Catalogue> {
  const time = now();
  const observed = await withConnection("postgres", (client) => observeBackups(client, time));
  const runs = observed.jobs.flatMap(({ kind, next }) =>
    kind === "backup" ? next.slice(0, 1) : [],
  );
  const here = await readBackupCatalogue(pins);
  const offsite = (await readSchedule().catch(() => undefined))?.offsite;
  const offsiteOnly = await offsiteOnlyBackups(here, pins, offsite, time);
  const isOffsiteOnly = new Set(offsiteOnly.entries.map(({ id }) => id));
  return {
    server,
    now: time.toISOString(),
    entries: sortById([...here.filter(({ id }) => !isOffsiteOnly.has(id)), ...offsiteOnly.entries]),
    judgements: sortById([...(await evaluateRetention(pins, time)), ...offsiteOnly.judgements]),
    next: runs.sort()[0] ?? null,
    verifiedLimit: observed.verifiedLimit,
    late: observed.late.join("; ") || null,
    freeBytes: observed.freeBytes,
  };
}

function sortById<T extends { readonly id: BackupId }>(entries: readonly T[]): T[] {
  return [...entries].sort((a, b) => (a.id < b.id ? -1 : 1));
}
