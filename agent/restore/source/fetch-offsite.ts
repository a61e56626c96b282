import { mkdir, rename, rm, rmdir } from "node:fs/promises";
import path from "node:path";
import { nearestIds } from "../../../model/backup/nearest-ids";
import { type RemoteCopy, copyName, remotePathText } from "../../../model/backup/remote-copies";
import type { RestoreRequest } from "../../../model/restore/protocol";
import type { OffsiteSource } from "../../../model/restore/offsite-source";
import { checkCopy } from "../../offsite/check-copy";
import { requireSpace, unpackCopy } from "../../offsite/fetch";
import { withRemote, type Remote } from "../../offsite/remote";
import { streamMeter } from "../../offsite/upload";
import { adoptKnownCopies } from "../../repository/known-offsite-copies";
import { summaryOf } from "../../repository/repository";
import { backupFolder, repositoryFolder } from "../../repository/stored-backup";
import { now } from "../../system/clock";
import { AgentError } from "../../system/errors";

const fetched = path.join(repositoryFolder, "fetched");

/** The folder of a backup fetched for a database, until it is restored. The database name is in hexadecimal, to be a valid file name. */
export function fetchedFolder(database: string): string {
  return path.join(fetched, Buffer.from(database).toString("hex"));
}

/** Removes the backup fetched for a database. */
export async function removeFetched(database: string): Promise<void> {
  await rm(fetchedFolder(database), { recursive: true, force: true });
  // Fails while another restore has a backup in it.
  await rmdir(fetched).catch(() => undefined);
}

/** Removes all fetched backups, which interrupted restores left behind. Only while no restore is running. */
export async function removeAllFetched(): Promise<void> {
  await rm(fetched, { recursive: true, force: true });
}

/** Finds an off-site copy without fetching it; throws an {@link AgentError} with the nearest ids when it does not exist. */
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

/** Fetches a backup from its off-site copy into {@link fetchedFolder}; it gets its final name when it is complete. */
export async function fetchSourceBackup(
  request: RestoreRequest,
  source: OffsiteSource,
): Promise<void> {
  const { database } = request;
  const backup = requireAccepted(request);
  const { server, identity } = source;
  const remotePath = remotePathText(source, server, copyName(backup));
  const folder = fetchedFolder(database);
  const partial = path.join(folder, `${backup}.partial`);
  const meter = streamMeter();
  await withRemote(source, server, async (remote) => {
    await findCopy(remote, source, backup);
    await removeFetched(database);
    await mkdir(partial, { recursive: true, mode: 0o700 });
    const { onData } = meter;
    await unpackCopy(remote, { id: backup, remotePath, identity, folder: partial, onData });
  });
  const { bytes, sha256 } = meter.result();
  const isOwn = server === request.server;
  const { manifest, authenticity } = await checkCopy({
    ...{ id: backup, settings: source, server, isOwn, scope: "restored copy" },
    ...{ parent: folder, name: path.basename(partial), sha256 },
    ...{ signedBy: request.signedBy, accept: request.accept },
  });
  if (isOwn && authenticity.key !== null) {
    const facts = { remote: remotePath, at: now().toISOString(), bytes, sha256 };
    const offsite = { ...facts, result: "uploaded", text: "restored from it" } as const;
    const was = { backup: summaryOf(manifest), verification: null, offsite };
    await adoptKnownCopies([{ id: backup, bytes, isVerified: false, was }], () => remotePath);
  }
  // Like those of any backup, its files are compared with the manifest before they are restored.
  await rename(partial, backupFolder(backup, folder));
}

/** The requested backup id. A copy counts as unverified, because verifications are recorded on the server that made it. */
function requireAccepted({ source: { backup = "" }, acceptUnverified }: RestoreRequest): string {
  if (acceptUnverified === true) return backup;
  throw new AgentError(
    `it is unknown whether backup ${backup} was verified, because off-site copies do not record it; to use it anyway, set data.acceptUnverified: true`,
  );
}

async function findCopy(remote: Remote, source: OffsiteSource, id: string): Promise<RemoteCopy> {
  const copies = await remote.copies();
  const copy = copies.find((copy) => copy.id === id);
  if (copy) {
    await requireSpace(copy.bytes);
    return copy;
  }
  const remotePath = remotePathText(source, source.server);
  if (copies.length === 0) throw new AgentError(`no copy ${id}: ${remotePath} has no copies`);
  const ids = copies.map(({ id }) => id);
  throw new AgentError(
    `no copy ${id} in ${remotePath}; the nearest: ${nearestIds(id, ids).join(", ")}`,
  );
}
