import { mkdir, rename, rm, rmdir } from "node:fs/promises";
import path from "node:path";
import { nearestIds } from "../../../model/backup/nearest-ids";
import { copyName, remotePathText, type RemoteCopy } from "../../../model/backup/offsite-config";
import type { RestoreRequest } from "../../../model/restore/protocol";
import type { OffsiteSource } from "../../../model/restore/offsite-source";
import { requireSpace, unpackCopy } from "../../offsite/fetch";
import { withRemote, type Remote } from "../../offsite/remote";
import { backupFolder, readManifest, repositoryFolder } from "../../repository/repository";
import { AgentError } from "../../system/errors";

const fetched = path.join(repositoryFolder, "fetched");

/** Where a backup lies that was fetched for a database, until it is restored; any name of one is a file name in hexadecimal. */
export function fetchedFolder(database: string): string {
  return path.join(fetched, Buffer.from(database).toString("hex"));
}

/** Removes what was fetched for a database. */
export async function removeFetched(database: string): Promise<void> {
  await rm(fetchedFolder(database), { recursive: true, force: true });
  // Stays where another restore has something in it.
  await rmdir(fetched).catch(() => undefined);
}

/** Removes what restores have left that did not come to their end; for when none runs. */
export async function removeAllFetched(): Promise<void> {
  await rm(fetched, { recursive: true, force: true });
}

/** Looks for a copy, and fetches nothing; throws an {@link AgentError} that names the nearest ones when it is not there. */
export async function findOffsiteCopy(
  request: RestoreRequest,
  source: OffsiteSource,
): Promise<{ readonly place: string; readonly bytes: number }> {
  const id = requireAccepted(request);
  return withRemote(source, source.server, async (remote) => {
    const { bytes } = await findCopy(remote, source, id);
    return { place: remotePathText(source, source.server, copyName(id)), bytes };
  });
}

/** Brings a backup from its off-site copy to {@link fetchedFolder}, where it is whole as soon as it has its name. */
export async function fetchBackup(request: RestoreRequest, source: OffsiteSource): Promise<void> {
  const { database } = request;
  const backup = requireAccepted(request);
  const { server, identity } = source;
  const place = remotePathText(source, server, copyName(backup));
  const folder = fetchedFolder(database);
  const partial = path.join(folder, `${backup}.partial`);
  await withRemote(source, server, async (remote) => {
    await findCopy(remote, source, backup);
    await removeFetched(database);
    await mkdir(partial, { recursive: true, mode: 0o700 });
    await unpackCopy(remote, { id: backup, place, identity, folder: partial });
  });
  const manifest = await readManifest(path.basename(partial), folder);
  if (manifest?.id !== backup) {
    const found = manifest ? `is of backup ${manifest.id}` : "has no manifest that can be read";
    throw new AgentError(`${place} is not a copy of backup ${backup}: it ${found}`);
  }
  // Its files are compared with the manifest before they are restored, as those of any backup.
  await rename(partial, backupFolder(backup, folder));
}

/** The id that is wanted. What proved a backup stays with its server, so a copy counts as unverified. */
function requireAccepted({ source: { backup = "" }, acceptUnverified }: RestoreRequest): string {
  if (acceptUnverified === true) return backup;
  throw new AgentError(
    `an off-site copy does not tell whether a restore has proven backup ${backup}; to take it all the same, set data.acceptUnverified: true`,
  );
}

async function findCopy(remote: Remote, source: OffsiteSource, id: string): Promise<RemoteCopy> {
  const copies = await remote.copies();
  const copy = copies.find((copy) => copy.id === id);
  if (copy) {
    await requireSpace(copy.bytes);
    return copy;
  }
  const place = remotePathText(source, source.server);
  if (copies.length === 0) throw new AgentError(`no copy ${id}: there is none at all in ${place}`);
  const ids = copies.map(({ id }) => id);
  throw new AgentError(`no copy ${id} in ${place}; the nearest: ${nearestIds(id, ids).join(", ")}`);
}
