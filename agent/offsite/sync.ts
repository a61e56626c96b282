import type { CatalogueEntry, OffsiteCopy } from "../../model/backup/catalogue";
import { copyName, placeText, type OffsiteSettings } from "../../model/backup/offsite";
import { offsiteCatalogue, remember, uploadsDue } from "../../model/backup/offsite-plan";
import { forget } from "../../model/backup/retention";
import { defaultKeep } from "../../model/backup/retention-rules";
import type { BackupId } from "../../model/base/names";
import { now } from "../system/clock";
import { AgentError, messageOf } from "../system/errors";
import { keepOffsiteCopy, readCatalogue } from "../repository/repository";
import { keepKnown, keepUploaded, readKnown } from "../repository/known-offsite-copies";
import { Remote } from "./remote";
import { uploadCopy } from "./upload";

/** Which backups the rules keep there. */
export type KeptThere = (catalogue: readonly CatalogueEntry[]) => ReadonlySet<BackupId>;

/** By the rules of a place's own. */
export function keptBy({ keep = defaultKeep }: OffsiteSettings): KeptThere {
  return (catalogue) => {
    const judged = forget(catalogue, keep, { now: now() });
    return new Set(judged.filter(({ keep }) => keep).map(({ id }) => id));
  };
}

/** What became of one backup's copy. */
export interface Copied {
  readonly id: BackupId;
  readonly copy: OffsiteCopy;
}

/**
 * Copies every backup that is not there yet, those of former jobs that failed among them, and then removes what the
 * rules keep no longer. Nothing is removed while a backup could not be copied.
 */
export async function syncCopies(
  settings: OffsiteSettings,
  server: string,
  kept: KeptThere,
  signal?: AbortSignal,
): Promise<Copied[]> {
  const remote = new Remote(settings, server, signal);
  const here = await readCatalogue();
  const before = await remote.files().catch((error: unknown) => messageOf(error));
  if (typeof before === "string") return noteUnreachable(settings, server, here, before);
  const known = await readKnown();
  const keptNow = kept(offsiteCatalogue(await remote.copies(), here, known));
  const copied: Copied[] = [];
  for (const id of uploadsDue(here, before, (id) => keptNow.has(id))) {
    signal?.throwIfAborted();
    copied.push({ id, copy: await uploadCopy(settings, server, id, signal) });
  }
  // Also where another copy failed: the server may be lost before the next job.
  await keepUploaded(await readCatalogue());
  if (copied.every(({ copy }) => copy.result === "uploaded")) {
    copied.push(...(await removeOld(remote, settings, server, kept)));
  }
  return copied;
}

/** Notes that the newest backup has no copy, where not even the list could be read. */
async function noteUnreachable(
  settings: OffsiteSettings,
  server: string,
  here: readonly CatalogueEntry[],
  problem: string,
): Promise<Copied[]> {
  const newest = here.findLast(({ backup }) => backup !== null);
  if (!newest) throw new AgentError(problem);
  const { id, offsite } = newest;
  const text = `no copy could be made: ${problem}`;
  const place = placeText(settings, server, copyName(id));
  const facts = { remote: place, at: now().toISOString(), bytes: 0, sha256: null, text };
  const copy: OffsiteCopy = { ...facts, result: "failed" };
  // One that was there stays noted as there.
  if (offsite?.result !== "uploaded") await keepOffsiteCopy(id, copy);
  return [{ id, copy }];
}

async function removeOld(
  remote: Remote,
  settings: OffsiteSettings,
  server: string,
  kept: KeptThere,
): Promise<Copied[]> {
  const copies = await remote.copies();
  const here = await readCatalogue();
  const known = remember(copies, here, await readKnown());
  // Remembered before anything goes: a copy whose backup is removed here must not become an unknown one.
  await keepKnown(known);
  const stay = kept(offsiteCatalogue(copies, here, known));
  const removed: Copied[] = [];
  for (const { id, bytes } of copies.filter(({ id }) => !stay.has(id))) {
    await remote.remove(copyName(id));
    const place = placeText(settings, server, copyName(id));
    const at = new Date().toISOString();
    const text = "no rule keeps it there";
    const copy = {
      ...{ remote: place, at, bytes, sha256: null, text },
      result: "removed",
    } as const;
    if (here.some((entry) => entry.id === id)) await keepOffsiteCopy(id, copy);
    removed.push({ id, copy });
    await keepKnown((await readKnown()).filter((copy) => copy.id !== id));
  }
  return removed;
}
