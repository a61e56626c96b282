import type { VerifyRequest, VerifyResult } from "../../model/backup/verification-protocol";
import { now } from "../system/clock";
import { AgentError } from "../system/errors";
import { withJobLock } from "../jobs/job-lock";
import { waitForPostgres } from "../postgres/connect";
import { nextToVerify } from "./next-to-verify";
import { verifyBackup } from "./verify";

/** Verifies a backup: the named one, or the newest that has not been verified. */
export async function verifyNow({ backup, accept }: VerifyRequest): Promise<VerifyResult> {
  if (accept !== undefined && backup === undefined)
    throw new AgentError("accept needs the id of the backup that has this digest");
  await waitForPostgres(60);
  return withJobLock(
    { kind: "verification", name: null },
    new AbortController().signal,
    async () => {
      const id = backup ?? (await nextToVerify(now()));
      if (id === undefined) return { backup: null, verification: null, logs: [] };
      return verifyBackup(id, now, accept);
    },
  );
}
