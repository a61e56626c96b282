import { judgeBackup, type Authenticity, type Trust } from "../../model/backup/authenticity";
import { manifestDigest } from "../../model/backup/signature";
import type { BackupId } from "../../model/base/names";
import { now } from "../system/clock";
import { AgentError } from "../system/errors";
import { ownTrust } from "./own-trust";
import { readRecord, saveRecord } from "./records";
import { readStoredManifest, repositoryFolder, type StoredManifest } from "./stored-backup";

/** Judges a stored backup. `accepted` are the digests of manifests that an operator accepts. */
export async function authenticityOf(
  id: BackupId,
  { manifest, sha256 }: StoredManifest,
  trust: Trust,
  { repository = repositoryFolder, accepted = [] as readonly string[] } = {},
): Promise<Authenticity> {
  const signature = await readRecord(id, "signature", repository);
  return judgeBackup({ id, manifestId: manifest.id, sha256, signature }, trust, accepted);
}

/** Throws an {@link AgentError} when a backup of this server is rejected, or has no manifest. */
export async function requireAuthentic(id: BackupId): Promise<void> {
  const stored = await readStoredManifest(id);
  if (!stored) throw new AgentError(`backup ${id} has no readable manifest`);
  const { problem } = await authenticityOf(id, stored, await ownTrust());
  if (problem !== null) throw new AgentError(problem);
}

/** Accepts a backup of this server by the digest of its manifest, permanently; throws an {@link AgentError} when it has another one. */
export async function acceptBackup(id: BackupId, digest: string): Promise<void> {
  const stored = await readStoredManifest(id);
  if (!stored) throw new AgentError(`backup ${id} has no readable manifest`);
  const found = manifestDigest(stored.sha256);
  if (found !== digest)
    throw new AgentError(`the manifest of backup ${id} has the digest ${found}, not ${digest}`);
  const trust = await ownTrust();
  const { problem } = await authenticityOf(id, stored, trust, { accepted: [digest] });
  if (problem !== null) throw new AgentError(problem);
  if ((await authenticityOf(id, stored, trust)).state !== "rejected") return;
  const at = now().toISOString();
  await saveRecord(id, "signature", { manifest: stored.sha256, reason: "accepted", at });
}
