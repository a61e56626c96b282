import type { BackupId } from "../base/names";
import {
  isVerified,
  type BackupSummary,
  type CatalogueEntry,
  type OffsiteCopy,
  type Pin,
  type Verification,
} from "./catalogue";
import { copiesAmong, type Copy, type RemoteFile } from "./offsite";

/** What the agent remembers of the copies it made, also when the backup itself is gone here. */
export interface KnownCopy {
  readonly id: BackupId;
  readonly bytes: number;
  /** Whether the backup was restored and found good. */
  readonly isVerified: boolean;
  /** What the catalogue told of it when it was last here; `null` where a former version remembered less. */
  readonly was: {
    readonly backup: BackupSummary;
    readonly verification: Verification | null;
    readonly offsite: OffsiteCopy;
  } | null;
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
    if (entry) return [knownOf(entry, bytes)];
    return known.filter((copy) => copy.id === id);
  });
}

/** What is remembered when these backups may leave: of each whose copy is recorded as there, what it is. */
export function noteUploaded(
  known: readonly KnownCopy[],
  entries: readonly CatalogueEntry[],
): KnownCopy[] {
  const noted = backupsAmong(entries).flatMap((entry) =>
    entry.offsite?.result === "uploaded" ? [knownOf(entry, entry.offsite.bytes)] : [],
  );
  const others = known.filter(({ id }) => !noted.some((copy) => copy.id === id));
  return [...others, ...noted].sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** Lines of the catalogue for the backups that are off-site and no longer here. */
export function offsiteAlone(
  known: readonly KnownCopy[],
  here: readonly CatalogueEntry[],
  pins: readonly Pin[],
): CatalogueEntry[] {
  return known.flatMap(({ id, was }) => {
    if (was === null || here.some((entry) => entry.id === id && entry.backup !== null)) return [];
    const { backup: away, verification, offsite } = was;
    const by = pins.filter(({ backup }) => backup === id).map(({ by }) => by);
    return [{ id, attempt: null, backup: null, away, verification, offsite, pins: by }];
  });
}

function knownOf(entry: CatalogueEntry, bytes: number): KnownCopy {
  const { id, backup, verification, offsite } = entry;
  const was =
    backup !== null && offsite?.result === "uploaded" ? { backup, verification, offsite } : null;
  return { id, bytes, isVerified: isVerified(entry), was };
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
