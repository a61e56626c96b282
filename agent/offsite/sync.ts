import type { CatalogueEntry, OffsiteCopy } from "../../model/backup/catalogue";
import { type OffsiteConfig } from "../../model/backup/offsite-config";
import { copyName, remotePathText } from "../../model/backup/remote-copies";
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
import { logLine } from "../system/progress";
import { saveOffsiteCopy, readBackupCatalogue } from "../repository/repository";
import {
  saveKnownCopies,
  recordUploadedCopies,
  readKnownCopies,
} from "../repository/known-offsite-copies";
import { Remote, RemoteError } from "./remote";
import { uploadCopy } from "./upload";

/** The backups in a catalogue of off-site copies that the retention rules retain. */
export type OffsiteRetention = (catalogue: readonly CatalogueEntry[]) => ReadonlySet<BackupId>;

/** Retention by the destination's own rules. */
export function offsiteRetention({ keep = defaultRetention }: OffsiteConfig): OffsiteRetention {
  return (catalogue) => {
    const judgements = applyRetention(catalogue, keep, { now: now() });
    return new Set(judgements.filter(({ keep }) => keep).map(({ id }) => id));
  };
}

/** The result of copying one backup, or of deleting its copy. */
export interface CopyResult {
  readonly id: BackupId;
  readonly copy: OffsiteCopy;
}

/**
 * Copies all backups that have no copy yet, including those whose earlier upload failed, then deletes the copies that
 * the rules no longer retain. Nothing is deleted when a backup could not be copied.
 */
export async function syncCopies(
  settings: OffsiteConfig,
  server: string,
  retention: OffsiteRetention,
  signal?: AbortSignal,
): Promise<CopyResult[]> {
  const remote = new Remote(settings, server, signal);
  const here = await readBackupCatalogue();
  const before = await remote.files().catch((error: unknown) => messageOf(error));
  if (typeof before === "string") return recordUnreachable(settings, server, here, before);
  const known = await readKnownCopies();
  const retained = retention(offsiteCatalogue(await remote.copies(), here, known));
  const copied: CopyResult[] = [];
  for (const id of pendingUploads(here, before, (id) => retained.has(id))) {
    signal?.throwIfAborted();
    copied.push({ id, copy: await uploadCopy(settings, server, id, signal) });
  }
  // Even if a copy failed: the server may be lost before the next job.
  await recordUploadedCopies(await readBackupCatalogue());
  if (copied.every(({ copy }) => copy.result === "uploaded")) {
    copied.push(...(await pruneCopies(remote, settings, server, retention)));
  }
  return copied;
}

/** Records that the newest backup has no copy, when not even the files at the remote could be listed. */
async function recordUnreachable(
  settings: OffsiteConfig,
  server: string,
  here: readonly CatalogueEntry[],
  problem: string,
): Promise<CopyResult[]> {
  const newest = here.findLast(({ backup }) => backup !== null);
  if (!newest) throw new AgentError(problem);
  const { id, offsite } = newest;
  const text = `cannot copy it: ${problem}`;
  const remotePath = remotePathText(settings, server, copyName(id));
  const facts = { remote: remotePath, at: now().toISOString(), bytes: 0, sha256: null, text };
  const copy: OffsiteCopy = { ...facts, result: "failed" };
  // An existing copy remains recorded as uploaded.
  if (offsite?.result !== "uploaded") await saveOffsiteCopy(id, copy);
  return [{ id, copy }];
}

async function pruneCopies(
  remote: Remote,
  settings: OffsiteConfig,
  server: string,
  retention: OffsiteRetention,
): Promise<CopyResult[]> {
  const copies = await remote.copies();
  const here = await readBackupCatalogue();
  const known = updateRecordedCopies(copies, here, await readKnownCopies());
  // Saved before anything is deleted, so that a copy whose local backup is removed stays known.
  await saveKnownCopies(known);
  const retained = retention(offsiteCatalogue(copies, here, known));
  const removed: CopyResult[] = [];
  const expired = copies.filter(({ id }) => !retained.has(id));
  for (const { id, bytes } of expired) {
    if (!(await removeIfAllowed(remote, id))) {
      logLine(
        `the off-site remote allows no deletion; copies that no rule retains stay there: ${expired.map(({ id }) => id).join(", ")}`,
      );
      break;
    }
    const remotePath = remotePathText(settings, server, copyName(id));
    const at = new Date().toISOString();
    const text = "no retention rule retains it";
    const copy = {
      remote: remotePath,
      at,
      bytes,
      sha256: null,
      text,
      result: "removed",
    } as const;
    if (here.some((entry) => entry.id === id)) await saveOffsiteCopy(id, copy);
    removed.push({ id, copy });
    await saveKnownCopies((await readKnownCopies()).filter((copy) => copy.id !== id));
  }
  return removed;
}

/** Deletes a copy; returns `false` if the remote does not allow that, which protects the copies from an intruder. */
async function removeIfAllowed(remote: Remote, id: BackupId): Promise<boolean> {
  try {
    await remote.remove(copyName(id));
    return true;
  } catch (error) {
    if (error instanceof RemoteError && error.isDenied) return false;
    throw error;
  }
}
