import { archiveWarnings } from "../../../model/point-in-time/drift";
import { stanzaName } from "../../../model/point-in-time/archive-repository";
import { withConnection } from "../../postgres/connect";
import { isExternal } from "../../postgres/external-connection";
import { configFiles } from "../../server/parameters/config-files";
import { readTextIfExists } from "../../system/atomic-file";
import { messageOf } from "../../system/errors";
import { readOwnArchiveState } from "./archive-state";
import { inspectArchiver } from "./archiver";
import { lastBaseBackup } from "./base-backup";
import { isArchiving, systemIdentifier } from "./switch-archiving";

/** Seconds that archiving may be behind without a failure before it counts as stopped. */
const stoppedSeconds = 900;

/**
 * Why WAL is not archived, a sentence each; empty when it is, or archiving is off. `undefined` when PostgreSQL does not
 * answer, so that nothing is known.
 */
export async function readArchiveProblems(server: string): Promise<string[] | undefined> {
  if (isExternal || (await readTextIfExists(configFiles.archive)) === undefined) return [];
  const problem = await readOwnArchiveState(server).then(
    () => null,
    (error: unknown) => messageOf(error),
  );
  const lastBackup = await lastBaseBackup().catch(() => null);
  try {
    return await withConnection("postgres", async (client) => {
      const on = await isArchiving(client, server, stanzaName(await systemIdentifier(client)));
      const { waiting, behindSeconds, failure } = await inspectArchiver(client);
      const isStopped = behindSeconds > stoppedSeconds;
      return archiveWarnings({
        ...{ on, failure, problem, waiting, lastBackup },
        behindSeconds: isStopped ? behindSeconds : 0,
      });
    });
  } catch {
    return undefined;
  }
}
