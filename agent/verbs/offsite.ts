import { backupBytes } from "../../model/backup/manifest";
import { placeText, type OffsiteSettings } from "../../model/backup/offsite";
import type {
  OffsiteFetch,
  OffsiteFetched,
  OffsiteList,
} from "../../model/backup/offsite-protocol";
import { copyInTurn } from "../offsite/after-backup";
import { fetchCopy } from "../offsite/fetch";
import { Remote } from "../offsite/remote";
import type { Copied } from "../offsite/sync";
import { listBackupIds } from "../repository/repository";
import { readSchedule } from "../jobs/schedule";
import { AgentError } from "../system/errors";
import { signalOfEnd } from "../jobs/abort-signals";

/** Lists the copies of a server's backups, from what is there alone. */
export async function listCopies(server: string): Promise<OffsiteList> {
  const settings = await requireOffsite();
  const [copies, here] = await Promise.all([
    new Remote(settings, server).copies(),
    listBackupIds(),
  ]);
  return {
    ...{ server, place: placeText(settings, server) },
    copies: copies.map(({ id, bytes }) => ({ id, bytes, isHere: here.includes(id) })),
  };
}

/** Copies what is not there yet, and removes there what no rule keeps. */
export async function uploadCopies(server: string): Promise<Copied[]> {
  return copyInTurn(await requireOffsite(), server, null, signalOfEnd());
}

/** Brings a backup back. */
export async function fetchBackup({ id, of, identity }: OffsiteFetch): Promise<OffsiteFetched> {
  const manifest = await fetchCopy(await requireOffsite(), of, id, identity);
  return { id, bytes: backupBytes(manifest) };
}

async function requireOffsite(): Promise<OffsiteSettings> {
  const offsite = (await readSchedule())?.offsite;
  if (offsite) return offsite;
  throw new AgentError(
    "this server has no place for off-site copies; set backups.offsite in the stack file and run pulumi up",
  );
}
