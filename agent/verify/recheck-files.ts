import { isVerified } from "../../model/backup/catalogue";
import { backupProblemsText } from "../../model/backup/manifest-comparison";
import type { BackupId } from "../../model/base/names";
import { fileProblems } from "../repository/backup-files";
import { saveVerification, readBackupCatalogue } from "../repository/repository";

/** Days after which the files of a verified backup are read again, to detect bit rot. */
const recheckDays = 7;
const dayMilliseconds = 86_400_000;

/** Compares the files of verified backups with their manifests again when the last check is old; returns the altered backups. */
export async function recheckFiles(now: Date): Promise<BackupId[]> {
  const altered: BackupId[] = [];
  for (const entry of await readBackupCatalogue()) {
    const { id, verification } = entry;
    if (!isVerified(entry) || verification === null) continue;
    const age = now.getTime() - Date.parse(verification.checkedAt);
    if (age >= 0 && age < recheckDays * dayMilliseconds) continue;
    const problems = await fileProblems(id);
    const checkedAt = now.toISOString();
    if (problems.length === 0) {
      await saveVerification(id, { ...verification, checkedAt });
      continue;
    }
    const text = backupProblemsText(id, problems);
    await saveVerification(id, {
      ...verification,
      checkedAt,
      text,
      result: "failed",
      restored: false,
    });
    altered.push(id);
  }
  return altered;
}
