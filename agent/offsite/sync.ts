import type { CatalogueEntry, OffsiteCopy } from "../../model/backup/catalogue";
import { copyName, remotePathText, type OffsiteConfig } from "../../model/backup/offsite-config";
import {
  offsiteCatalogue,
  updateRecordedCopies,
  pendingUploads,
} from "../../model/backup/offsite-copies";
import { applyRetention } from "../../model/backup/retention";
import { defaultRetention } from "../../model/backup/retention-policy";
import type { BackupId } from "../../model/base/names";
import { now } from "../system/clock";
import { AgentError, messageOf } from "../system/errors";
import { saveOffsiteCopy, readCatalogue } from "../repository/repository";
import {
  saveKnownCopies,
  recordUploadedCopies,
  readKnownCopies,
} from "../repository/known-offsite-copies";
import { Remote } from "./remote";
import { uploadCopy } from "./upload";

/** Which backups the rules keep there. */
export type OffsiteRetention = (catalogue: readonly CatalogueEntry[]) => ReadonlySet<BackupId>;

/** By the rules of a place's own. */
export function offsiteRetention({ keep = defaultRetention }: OffsiteConfig): OffsiteRetention {
  return (catalogue) => {
    const judged = applyRetention(catalogue, keep, { now: now() });
    return new Set(judged.filter(({ keep }) => keep).map(({ id }) => id));
  };
}

/** What became of one backup's copy. */
export interface CopyResult {
  readonly id: BackupId;
  readonly copy: OffsiteCopy;
}

/**
 * Copies every backup that is not there yet, those of former jobs that failed among them, and then removes what the
 * rules keep no longer. Nothing is removed while a backup could not be copied.
 */
export async function syncCopies(
  settings: OffsiteConfig,
  server: string,
  kept: OffsiteRetention,
  signal?: AbortSignal,
): Promise<CopyResult[]> {
  const remote = new Remote(settings, server, signal);
  const here = await readCatalogue();
  const before = await remote.files().catch((error: unknown) => messageOf(error));
  if (typeof before === "string") return recordUnreachable(settings, server, here, before);
  const known = await readKnownCopies();
  const keptNow = kept(offsiteCatalogue(await remote.copies(), here, known));
  const copied: CopyResult[] = [];
  for (const id of pendingUploads(here, before, (id) => keptNow.has(id))) {
    signal?.throwIfAborted();
    copied.push({ id, copy: await uploadCopy(settings, server, id, signal) });
  }
  // Also where another copy failed: the server may be lost before the next job.
  await recordUploadedCopies(await readCatalogue());
  if (copied.every(({ copy }) => copy.result === "uploaded")) {
    copied.push(...(await pruneCopies(remote, settings, server, kept)));
  }
  return copied;
}

/** Notes that the newest backup has no copy, where not even the list could be read. */
async function recordUnreachable(
  settings: OffsiteConfig,
  server: string,
  here: readonly CatalogueEntry[],
  problem: string,
): Promise<CopyResult[]> {
  const newest = here.findLast(({ backup }) => backup !== null);
  if (!newest) throw new AgentError(problem);
  const { id, offsite } = newest;
  const text = `no copy could be made: ${problem}`;
  const place = remotePathText(settings, server, copyName(id));
  const facts = { remote: place, at: now().toISOString(), bytes: 0, sha256: null, text };
  const copy: OffsiteCopy = { ...facts, result: "failed" };
  // One that was there stays noted as there.
  if (offsite?.result !== "uploaded") await saveOffsiteCopy(id, copy);
  return [{ id, copy }];
}

async function pruneCopies(
  remote: Remote,
  settings: OffsiteConfig,
  server: string,
  kept: OffsiteRetention,
): Promise<CopyResult[]> {
  const copies = await remote.copies();
  const here = await readCatalogue();
  const known = updateRecordedCopies(copies, here, await readKnownCopies());
  // Remembered before anything goes: a copy whose backup is removed here must not become an unknown one.
  await saveKnownCopies(known);
  const stay = kept(offsiteCatalogue(copies, here, known));
  const removed: CopyResult[] = [];
  for (const { id, bytes } of copies.filter(({ id }) => !stay.has(id))) {
    await remote.remove(copyName(id));
    const place = remotePathText(settings, server, copyName(id));
    const at = new Date().toISOString();
    const text = "no rule keeps it there";
    const copy = {
      ...{ remote: place, at, bytes, sha256: null, text },
      result: "removed",
    } as const;
    if (here.some((entry) => entry.id === id)) await saveOffsiteCopy(id, copy);
    removed.push({ id, copy });
    await saveKnownCopies((await readKnownCopies()).filter((copy) => copy.id !== id));
  }
  return removed;
}
