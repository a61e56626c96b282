import { rm } from "node:fs/promises";
import path from "node:path";
import {
  recordCounts,
  rejectedRecordText,
  type EvidenceName,
  type Authenticity,
  type SignedRecord,
  type Trust,
} from "../../model/backup/authenticity";
import {
  type Attempt,
  type CatalogueEntry,
  type OffsiteCopy,
  type Pin,
  type Verification,
} from "../../model/backup/catalogue";
import { backupBytes, type Manifest } from "../../model/backup/manifest";
import { parseBackupId, type BackupId } from "../../model/base/names";
import { authenticityOf } from "./authenticity";
import { saveFallbackAttempt, readFallbackAttempts } from "./fallback-attempts";
import { recordUploadedCopies } from "./known-offsite-copies";
import { ownTrust } from "./own-trust";
import { findRecord, readRecord, recordsFolder, removeRecords, saveRecord } from "./records";
import { backupFolder, readNames, readStoredManifest, repositoryFolder } from "./stored-backup";

/** Saves the result of a backup attempt, signed; in the agent's volume when the backup volume is full or unwritable. */
export async function saveAttempt(attempt: Attempt): Promise<void> {
  try {
    await saveRecord(attempt.id, "attempt", attempt);
  } catch {
    await saveFallbackAttempt(attempt);
  }
}

/** Saves the result of the last verification of a backup, signed. */
export async function saveVerification(id: BackupId, verification: Verification): Promise<void> {
  await saveRecord(id, "verification", verification);
}

/** Saves the state of the off-site copy of a backup, signed, for its present manifest. */
export async function saveOffsiteCopy(id: BackupId, copy: OffsiteCopy): Promise<void> {
  const manifest = (await readStoredManifest(id))?.sha256 ?? null;
  await saveRecord(id, "offsite", { ...copy, manifest });
}

/** All backups and failed attempts, oldest first. `trust` is needed for the repository of another server. */
export async function readBackupCatalogue(
  pins: readonly Pin[] = [],
  repository = repositoryFolder,
  trust?: Trust,
): Promise<CatalogueEntry[]> {
  const applied = trust ?? (await ownTrust());
  const fallback = repository === repositoryFolder ? await readFallbackAttempts() : [];
  const attempts = new Map(fallback.map((attempt) => [attempt.id, attempt]));
  const names = [await readNames(repository), await readNames(recordsFolder(repository))].flat();
  const ids = new Set(names.filter((name) => parseBackupId(name) !== undefined));
  const entries = [...new Set([...ids, ...attempts.keys()])].sort().map(async (id) => {
    const entry = await readEntry(id, pins, repository, applied);
    return { ...entry, attempt: entry.attempt ?? attempts.get(id) ?? null };
  });
  // A folder without a manifest and without a record is not an attempt.
  return (await Promise.all(entries)).filter(({ backup, attempt }) => backup ?? attempt);
}

/** The result of the last verification of a judged backup; `null` when it was never verified, or the record is not genuine. */
export async function readVerification(
  id: BackupId,
  repository: string,
  trust: Trust,
  authenticity: Authenticity,
): Promise<Verification | null> {
  return counted(await readRecord(id, "verification", repository), trust, authenticity);
}

/** Removes a backup and its records. Its catalogue entry is retained while it has an off-site copy. */
export async function removeBackup(id: BackupId): Promise<void> {
  await recordUploadedCopies([await readEntry(id, [], repositoryFolder, await ownTrust())]);
  // Without its manifest it is no longer a backup, even if the removal is interrupted.
  await rm(path.join(backupFolder(id), "manifest.json"), { force: true });
  await rm(backupFolder(id), { recursive: true, force: true });
  await removeRecords(id);
}

type UnboundAttempt = Attempt & { readonly manifest?: undefined };

async function readEntry(
  id: BackupId,
  pins: readonly Pin[],
  repository: string,
  trust: Trust,
): Promise<CatalogueEntry> {
  const [stored, attempt, verification, offsite] = await Promise.all([
    readStoredManifest(id, repository),
    findRecord(id, "attempt", repository),
    findRecord(id, "verification", repository),
    findRecord(id, "offsite", repository),
  ]);
  const authenticity = stored && (await authenticityOf(id, stored, trust, { repository }));
  const checked = counted(verification, trust, authenticity);
  const uploaded = counted(offsite, trust, authenticity);
  // An attempt may have no manifest, so its record is bound to none.
  const made =
    attempt?.record.id === id ? counted<UnboundAttempt>(attempt, trust, undefined) : null;
  const rejectedRecords = Object.entries({
    attempt: attempt !== null && made === null,
    verification: verification !== null && checked === null,
    offsite: offsite !== null && uploaded === null,
  }).flatMap(([name, isRejected]) =>
    isRejected ? [rejectedRecordText(name as EvidenceName, id)] : [],
  );
  const isRejected = authenticity?.state === "rejected";
  return {
    id,
    attempt: made,
    verification: isRejected && checked?.result === "passed" ? null : checked,
    offsite: uploaded,
    backup: stored ? summaryOf(stored.manifest) : null,
    ...(authenticity && { authenticity }),
    // Those of a rejected backup say nothing more.
    ...(rejectedRecords.length > 0 && !isRejected && { rejectedRecords }),
    pins: pins.filter(({ backup }) => backup === id).map(({ by }) => by),
  };
}

/** A record, unless it is not genuine or speaks of another manifest. */
function counted<T extends { readonly manifest?: string | null | undefined }>(
  found: SignedRecord<T> | null | undefined,
  trust: Trust,
  authenticity: Authenticity | undefined,
): T | null {
  if (!found) return null;
  return recordCounts(found, trust, authenticity) ? found.record : null;
}

/** Summary of a manifest. */
export function summaryOf(manifest: Manifest): NonNullable<CatalogueEntry["backup"]> {
  const { server, kind, job, postgres, databases, allDatabases, startedAt, finishedAt } = manifest;
  return {
    server,
    kind,
    job,
    postgres: postgres.version,
    bytes: backupBytes(manifest),
    databases: databases.map(({ name, bytes, tables }) => {
      return { name, bytes, rows: tables.reduce((sum, { rows }) => sum + rows, 0) };
    }),
    ...(allDatabases !== undefined && { allDatabases }),
    // The clock may have been set back in between.
    seconds: Math.max(0, Date.parse(finishedAt) - Date.parse(startedAt)) / 1000,
  };
}
