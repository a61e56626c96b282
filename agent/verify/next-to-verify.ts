import { awaitsVerification, backupsToVerify } from "../../model/backup/backups-to-verify";
import { offsiteCatalogue } from "../../model/backup/offsite-copies";
import { defaultRetention } from "../../model/backup/retention-policy";
import type { BackupId } from "../../model/base/names";
import { readSchedule } from "../jobs/schedule";
import { readKnownCopies } from "../repository/known-offsite-copies";
import { readBackupCatalogue } from "../repository/repository";

/** The backups to verify, in this order: those that a retention rule, here or off-site, would retain if they were verified. */
export async function listBackupsToVerify(now: Date): Promise<BackupId[]> {
  const schedule = await readSchedule().catch(() => undefined);
  const here = await readBackupCatalogue();
  const policies = [{ policy: schedule?.keep ?? defaultRetention, catalogue: here }];
  if (schedule?.offsite) {
    const known = await readKnownCopies().catch(() => []);
    const policy = schedule.offsite.keep ?? defaultRetention;
    policies.push({ policy, catalogue: offsiteCatalogue(known, here, known) });
  }
  return backupsToVerify(here, policies, now);
}

/** The backup to verify next; without one that a rule needs, the newest that was neither verified nor rejected nor found to be bad. */
export async function nextToVerify(now: Date): Promise<BackupId | undefined> {
  const [next] = await listBackupsToVerify(now);
  return next ?? (await readBackupCatalogue()).findLast(awaitsVerification)?.id;
}
