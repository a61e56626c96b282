import type { BackupId } from "../base/names";
import {
  isRejected,
  isVerified,
  type BackupSummary,
  type CatalogueEntry,
  type OffsiteCopy,
  type Pin,
  type Verification,
} from "./catalogue";
import type { OffsiteConfig } from "./offsite-config";
import type { OffsiteObservation } from "./protocol";
import { completeCopies, remotePathText, type RemoteCopy, type RemoteFile } from "./remote-copies";

/** The agent's record of a copy it uploaded; it outlives the backup in the repository. */
export interface RecordedCopy {
  readonly id: BackupId;
  readonly bytes: number;
  /** Whether the backup was verified by a restore. */
  readonly isVerified: boolean;
  /** Its last catalogue entry from the repository; `null` if a previous version of Stagecraft recorded less. */
  readonly was: {
    readonly backup: BackupSummary;
    readonly verification: Verification | null;
    readonly offsite: OffsiteCopy;
  } | null;
}

/** Retention rule shown for an off-site copy that this agent has no record of. */
const unrecorded = "no record here";

/**
 * The off-site copies, and the local backups that may be uploaded, as a catalogue for the retention rules. A copy that
 * this agent has no record of is not counted and never deleted: it may belong to another agent.
 */
export function offsiteCatalogue(
  copies: readonly RemoteCopy[],
  local: readonly CatalogueEntry[],
  records: readonly RecordedCopy[],
): CatalogueEntry[] {
  const ids = new Set([...copies.map(({ id }) => id), ...localBackups(local).map(({ id }) => id)]);
  return [...ids].sort().map((id) => {
    const entry = local.find((entry) => entry.id === id && entry.backup !== null);
    if (entry) return entry;
    const recorded = records.find((copy) => copy.id === id);
    return offsiteOnlyEntry(id, recorded);
  });
}

/** Genuine local backups that the rules retain off-site and that have no complete copy there, oldest first. */
export function pendingUploads(
  local: readonly CatalogueEntry[],
  files: readonly RemoteFile[],
  isRetained: (id: BackupId) => boolean,
): BackupId[] {
  const copies = completeCopies(files);
  return localBackups(local)
    .filter((entry) => !isRejected(entry))
    .filter(({ id, offsite }) => {
      const copy = copies.find((copy) => copy.id === id);
      const isUploaded = offsite?.result === "uploaded" && copy?.bytes === offsite.bytes;
      return !isUploaded && isRetained(id);
    })
    .map(({ id }) => id);
}

/** The records after comparing the off-site copies with the local backups. */
export function updateRecordedCopies(
  copies: readonly RemoteCopy[],
  local: readonly CatalogueEntry[],
  records: readonly RecordedCopy[],
): RecordedCopy[] {
  return copies.flatMap(({ id, bytes }) => {
    // What is known of a copy does not change because its backup was altered here.
    const entry = localBackups(local).find((entry) => entry.id === id && !isRejected(entry));
    if (entry) return [recordOf(entry, bytes)];
    return records.filter((copy) => copy.id === id);
  });
}

/** The records with an entry for each uploaded backup, to be saved before the local backups are deleted. */
export function recordUploads(
  records: readonly RecordedCopy[],
  entries: readonly CatalogueEntry[],
): RecordedCopy[] {
  const uploaded = localBackups(entries).flatMap((entry) =>
    entry.offsite?.result === "uploaded" ? [recordOf(entry, entry.offsite.bytes)] : [],
  );
  const others = records.filter(({ id }) => !uploaded.some((copy) => copy.id === id));
  return [...others, ...uploaded].sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** Catalogue entries of the backups that are off-site only. */
export function offsiteOnlyEntries(
  records: readonly RecordedCopy[],
  local: readonly CatalogueEntry[],
  pins: readonly Pin[],
): CatalogueEntry[] {
  return records.flatMap(({ id, was }) => {
    if (was === null || local.some((entry) => entry.id === id && entry.backup !== null)) return [];
    const { backup: away, verification, offsite } = was;
    const by = pins.filter(({ backup }) => backup === id).map(({ by }) => by);
    return [{ id, attempt: null, backup: null, away, verification, offsite, pins: by }];
  });
}

/** The newest copy in a catalogue, and why a newer backup has none. */
export function observeOffsite(
  server: string,
  settings: Pick<OffsiteConfig, "remote">,
  local: readonly CatalogueEntry[],
): OffsiteObservation {
  const newest = local.findLast(({ offsite }) => offsite?.result === "uploaded")?.id ?? null;
  const failed = local.findLast(
    ({ id, offsite }) => offsite?.result === "failed" && id > (newest ?? ""),
  );
  const problem = failed?.offsite?.text ?? null;
  return { remote: remotePathText(settings, server), newest, problem };
}

function recordOf(entry: CatalogueEntry, bytes: number): RecordedCopy {
  const { id, backup, verification, offsite } = entry;
  const was =
    backup !== null && offsite?.result === "uploaded" ? { backup, verification, offsite } : null;
  return { id, bytes, isVerified: isVerified(entry), was };
}

function localBackups(local: readonly CatalogueEntry[]): CatalogueEntry[] {
  return local.filter(({ backup }) => backup !== null);
}

/** A catalogue entry for a copy without a local backup, for the retention rules. */
function offsiteOnlyEntry(id: BackupId, recorded: RecordedCopy | undefined): CatalogueEntry {
  const at = "1970-01-01T00:00:00Z";
  const was = recorded?.was?.backup;
  return {
    id,
    attempt: null,
    offsite: null,
    backup: {
      server: "",
      kind: "production",
      job: null,
      postgres: "",
      // The rules of each database need to know which it contains.
      databases: was?.databases ?? [],
      ...(was?.allDatabases !== undefined && { allDatabases: was.allDatabases }),
      seconds: 0,
      bytes: recorded?.bytes ?? 0,
    },
    verification:
      recorded?.isVerified === true
        ? {
            checkedAt: at,
            result: "passed",
            from: "repository",
            restored: true,
            seconds: 0,
            text: "",
          }
        : null,
    pins: recorded ? [] : [unrecorded],
  };
}
