import type { BackupsRequest, JobResult } from "../../../model/backup/protocol";
import { pruneBackups } from "../../repository/prune-backups";
import { readBackupCatalogue } from "../../repository/repository";
import { recheckFiles } from "../../verify/recheck-files";
import { nextToVerify, verifyBackup } from "../../verify/verify";
import { now } from "../../system/clock";
import { messageOf } from "../../system/errors";
import { waitForPostgres } from "../../postgres/connect";
import { withJobLock } from "../../jobs/job-lock";

/** Verifies the newest unverified backup, checks the files of older ones again, and removes backups that no rule retains. */
export async function verifyAndPrune(
  name: string,
  { server, pins }: Pick<BackupsRequest, "server" | "pins">,
  signal: AbortSignal,
): Promise<JobResult> {
  const started = now();
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
      const id = await nextToVerify();
      const verified =
        id === undefined ? undefined : await withAbort(signal, verifyBackup(id, now));
      await pruneBackups(pins, now());
      const rejected = (await readBackupCatalogue()).flatMap(
        ({ authenticity }) => authenticity?.problem ?? [],
      );
      const outcome = [verified?.verification?.text ?? "no backup to verify", ...rejected].join(
        "\n",
      );
      const altered =
        changed.length === 0 ? "" : `; altered files in backups: ${changed.join(", ")}`;
      const isGood =
        changed.length === 0 &&
        rejected.length === 0 &&
        verified?.verification?.result !== "failed";
      return result(isGood, `${outcome}${altered}`, id ?? null);
    });
  } catch (error) {
    const [cause = "", ...fix] = messageOf(signal.aborted ? signal.reason : error).split("; ");
    const advice = fix.join("; ") || `npx stagecraft backups ${server}`;
    const head = `no backup of ${server} was verified`;
    return result(false, `${head}\n  cause     ${cause}\n  fix       ${advice}`, null);
  }
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
