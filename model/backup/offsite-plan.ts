import type { BackupId } from "../names";
import { isVerified, type CatalogueEntry } from "./catalogue";
import { copiesAmong, type Copy, type RemoteFile } from "./offsite";

/** What the agent remembers of the copies it made, also when the backup itself is gone here. */
export interface KnownCopy {
  readonly id: BackupId;
  readonly bytes: number;
  /** Whether the backup was restored and found good. */
  readonly isVerified: boolean;
}

/** Why a backup that nobody here knows is not removed there. */
const unknown = "unknown here";

/**
 * The copies that are there, and the backups that are here and may be copied, as a catalogue for the rules of retention.
 * A copy that this agent does not remember counts for nothing and stays: another agent may need it.
 */
export function offsiteCatalogue(
  copies: readonly Copy[],
  here: readonly CatalogueEntry[],
  known: readonly KnownCopy[],
): CatalogueEntry[] {
  const ids = new Set([...copies.map(({ id }) => id), ...backupsAmong(here).map(({ id }) => id)]);
  return [...ids].sort().map((id) => {
    const entry = here.find((entry) => entry.id === id && entry.backup !== null);
    if (entry) return entry;
    const remembered = known.find((copy) => copy.id === id);
    return absent(id, remembered);
  });
}

/** Backups that are here and not there as they were sent, oldest first; of those that the rules would keep there. */
export function uploadsDue(
  here: readonly CatalogueEntry[],
  files: readonly RemoteFile[],
  isKept: (id: BackupId) => boolean,
): BackupId[] {
  const copies = copiesAmong(files);
  return backupsAmong(here)
    .filter(({ id, offsite }) => {
      const copy = copies.find((copy) => copy.id === id);
      const isThere = offsite?.result === "uploaded" && copy?.bytes === offsite.bytes;
      return !isThere && isKept(id);
    })
    .map(({ id }) => id);
}

/** What is remembered after a look at what is there and here. */
export function remember(
  copies: readonly Copy[],
  here: readonly CatalogueEntry[],
  known: readonly KnownCopy[],
): KnownCopy[] {
  return copies.flatMap(({ id, bytes }) => {
    const entry = here.find((entry) => entry.id === id && entry.backup !== null);
    if (entry) return [{ id, bytes, isVerified: isVerified(entry) }];
    return known.filter((copy) => copy.id === id);
  });
}

function backupsAmong(here: readonly CatalogueEntry[]): CatalogueEntry[] {
  return here.filter(({ backup }) => backup !== null);
}

/** A copy whose backup is gone here. */
function absent(id: BackupId, remembered: KnownCopy | undefined): CatalogueEntry {
  const at = "1970-01-01T00:00:00Z";
  return {
    ...{ id, attempt: null, offsite: null },
    backup: {
      ...{ server: "", kind: "production", job: null, postgres: "", databases: [], seconds: 0 },
      bytes: remembered?.bytes ?? 0,
    },
    verification:
      remembered?.isVerified === true
        ? {
            checkedAt: at,
            result: "passed",
            from: "repository",
            restored: true,
            seconds: 0,
            text: "",
          }
        : null,
    pins: remembered ? [] : [unknown],
  };
}
