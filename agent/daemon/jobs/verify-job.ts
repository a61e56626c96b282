import type { BackupsRequest, JobResult } from "../../../model/backup/protocol";
import type { VerifyResult } from "../../../model/backup/verification-protocol";
import type { BackupId } from "../../../model/base/names";
import { pruneBackups } from "../../repository/prune-backups";
import { readBackupCatalogue } from "../../repository/repository";
import { listBackupsToVerify } from "../../verify/next-to-verify";
import { recheckFiles } from "../../verify/recheck-files";
import { verifyBackup } from "../../verify/verify";
import { now } from "../../system/clock";
import { messageOf } from "../../system/errors";
import { waitForPostgres } from "../../postgres/connect";
import { withJobLock } from "../../jobs/job-lock";

/**
 * Verifies the backups that the retention rules count, checks the files of older ones again, and removes backups that no
 * rule retains. A backup that cannot be verified, e.g. because it does not fit on the disk, does not stop the others.
 */
export async function verifyAndPrune(
  name: string,
  { server, pins }: Pick<BackupsRequest, "server" | "pins">,
  signal: AbortSignal,
): Promise<JobResult> {
  const started = now();
  const verified: VerifyResult[] = [];
  const result = (succeeded: boolean, text: string, backup: string | null): JobResult => ({
    kind: "verification",
    name,
    succeeded,
    text,
    backup,
    startedAt: started.toISOString(),
    finishedAt: now().toISOString(),
  });
  try {
    await waitForPostgres(600);
    return await withJobLock({ kind: "verification", name }, signal, async () => {
      const changed = await withAbort(signal, recheckFiles(now()));
      const [error] = await verifyAll(verified, signal);
      await pruneBackups(pins, now());
      if (error) throw error;
      const rejected = (await readBackupCatalogue()).flatMap(
        ({ authenticity }) => authenticity?.problem ?? [],
      );
      const outcome = [...verifiedTexts(verified), ...rejected].join("\n");
      const altered =
        changed.length === 0 ? "" : `; altered files in backups: ${changed.join(", ")}`;
      const failed = verified.find(({ verification }) => verification?.result === "failed");
      const isGood = changed.length === 0 && rejected.length === 0 && failed === undefined;
      return result(isGood, `${outcome}${altered}`, (failed ?? verified[0])?.backup ?? null);
    });
  } catch (error) {
    const [cause = "", ...fix] = messageOf(signal.aborted ? signal.reason : error).split("; ");
    const advice = fix.join("; ") || `npx stagecraft backups ${server}`;
    const head =
      verified.length === 0
        ? `no backup of ${server} was verified`
        : `not all backups of ${server} were verified, only ${verified.map(({ backup }) => backup).join(", ")}`;
    return result(false, `${head}\n  cause     ${cause}\n  fix       ${advice}`, null);
  }
}

/**
 * Verifies the backups that the rules need, one after another; after a failed one perhaps another of the same period.
 * The results are added to `verified`. Returns why others could not be verified; throws when the signal aborts.
 */
async function verifyAll(verified: VerifyResult[], signal: AbortSignal): Promise<Error[]> {
  const errors: Error[] = [];
  const tried = new Set<BackupId>();
  for (;;) {
    signal.throwIfAborted();
    const id = (await listBackupsToVerify(now())).find((id) => !tried.has(id));
    if (id === undefined) return errors;
    tried.add(id);
    try {
      verified.push(await withAbort(signal, verifyBackup(id, now)));
    } catch (error) {
      signal.throwIfAborted();
      errors.push(error instanceof Error ? error : new Error(messageOf(error)));
    }
  }
}

/** The results; each begins with its id if there are several. */
function verifiedTexts(verified: readonly VerifyResult[]): string[] {
  const texts = verified.flatMap(({ backup, verification }) =>
    verification ? [{ backup, verification }] : [],
  );
  if (texts.length === 0) return ["no backup to verify"];
  return texts.map(({ backup, verification: { result, text } }) =>
    texts.length === 1 || result === "failed" ? text : `${backup ?? ""}: ${text}`,
  );
}

/** Rejects when the signal aborts. The work itself continues until the job's process ends. */
async function withAbort<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  const aborted = new Promise<never>((_, reject) => {
    signal.addEventListener("abort", () => {
      reject(new Error(messageOf(signal.reason)));
    });
  });
  return Promise.race([work, aborted]);
}
