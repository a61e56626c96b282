import { backupBytes } from "../../model/backup/manifest";
import { type OffsiteConfig } from "../../model/backup/offsite-config";
import { remotePathText } from "../../model/backup/remote-copies";
import type {
  OffsiteFetch,
  OffsiteFetched,
  OffsiteList,
} from "../../model/backup/offsite-protocol";
import { copyWithJobLock } from "./after-backup";
import { fetchCopy } from "./fetch";
import { Remote } from "./remote";
import type { CopyResult } from "./sync";
import { listBackupIds } from "../repository/stored-backup";
import { readSchedule } from "../jobs/schedule";
import { AgentError } from "../system/errors";
import { terminationSignal } from "../jobs/abort-signals";

/** Lists the off-site copies of a server's backups, by the files at the destination. */
export async function listCopies(server: string): Promise<OffsiteList> {
  const settings = await requireOffsite();
  const [copies, here] = await Promise.all([
    new Remote(settings, server).copies(),
    listBackupIds(),
  ]);
  return {
    server,
    place: remotePathText(settings, server),
    copies: copies.map(({ id, bytes }) => ({ id, bytes, isHere: here.includes(id) })),
  };
}

/** Copies the backups that have no off-site copy yet, and deletes the copies that no retention rule keeps. */
export async function uploadCopies(server: string): Promise<CopyResult[]> {
  return copyWithJobLock(await requireOffsite(), server, null, terminationSignal());
}

/** Fetches a backup from its off-site copy into the repository. */
export async function fetchBackup({ server, of, ...copy }: OffsiteFetch): Promise<OffsiteFetched> {
  const { id } = copy;
  const isOwn = of === server;
  const manifest = await fetchCopy(await requireOffsite(), { ...copy, server: of, isOwn });
  return { id, bytes: backupBytes(manifest) };
}

async function requireOffsite(): Promise<OffsiteConfig> {
  const offsite = (await readSchedule())?.offsite;
  if (offsite) return offsite;
  throw new AgentError(
    "this server has no off-site destination; set backups.offsite in the stack file and run pulumi up",
  );
}
