import { rm } from "node:fs/promises";
import path from "node:path";
import { judgeBackup, rejectionFix, type Authenticity } from "../../model/backup/authenticity";
import type { Manifest } from "../../model/backup/manifest";
import { copyName, remotePathText } from "../../model/backup/remote-copies";
import { manifestDigest } from "../../model/backup/signature";
import type { OffsiteConfig } from "../../model/backup/offsite-config";
import type { BackupId } from "../../model/base/names";
import { adoptKnownCopies, rememberedSha256 } from "../repository/known-offsite-copies";
import { parseRecord } from "../repository/records";
import { readStoredManifest } from "../repository/stored-backup";
import { copyTrust, trustFrom } from "../repository/trusted-keys";
import { AgentError } from "../system/errors";
import { readIfRegularFile } from "../system/regular-file";
import { copySignatureFile, knownCopiesFile } from "./upload";

/** A copy that has been decrypted and unpacked into a folder. */
export interface UnpackedCopy {
  readonly id: BackupId;
  readonly settings: Pick<OffsiteConfig, "remote">;
  /** The server whose copy it is. */
  readonly server: string;
  /** Whether that is this server. */
  readonly isOwn: boolean;
  /** What it is used for. */
  readonly scope: "restored copy" | "fetched copy";
  /** Parent and name of the folder. */
  readonly parent: string;
  readonly name: string;
  /** SHA-256 of the encrypted copy. */
  readonly sha256: string;
  /** Public key of the server that made it, if the stack names one. */
  readonly signedBy?: string | undefined;
  /** Digest of the manifest, if an operator accepts it. */
  readonly accept?: string | undefined;
}

/** A copy that is what its server uploaded. */
export interface GenuineCopy {
  readonly manifest: Manifest;
  readonly authenticity: Authenticity;
  /** Whether it is, byte for byte, what this agent uploaded. */
  readonly isRemembered: boolean;
}

/**
 * Checks that an unpacked copy is what its server uploaded: byte for byte, if this agent remembers its upload, and by the
 * signature of its manifest. Takes over what its agent knew of the other copies, if that was this server's. Removes the
 * records, so that the folder contains only the backup. Throws an {@link AgentError} otherwise; the files are not compared
 * with the manifest yet.
 */
export async function checkCopy(copy: UnpackedCopy): Promise<GenuineCopy> {
  const { id, settings, server, isOwn, scope, accept } = copy;
  const remotePath = remotePathText(settings, server, copyName(id));
  const folder = path.join(copy.parent, copy.name);
  const [signature, copies] = await takeRecords(folder);
  const stored = await readStoredManifest(copy.name, copy.parent);
  if (stored?.manifest.id !== id) {
    const found = stored ? `is of backup ${stored.manifest.id}` : "has no readable manifest";
    throw new AgentError(`${remotePath} is not a copy of backup ${id}: it ${found}`);
  }
  const { manifest, sha256 } = stored;
  if (manifest.server !== server) {
    throw new AgentError(
      `${remotePath} is not a copy of a backup of ${server}: it is of ${manifest.server}; use another copy`,
    );
  }
  const isAccepted = accept === manifestDigest(sha256);
  const remembered = isOwn ? await rememberedSha256(id, remotePath) : undefined;
  const isRemembered = remembered === copy.sha256;
  if (remembered !== undefined && !isRemembered && !isAccepted) {
    throw new AgentError(
      `${remotePath} was replaced: it has the SHA-256 ${copy.sha256}, but this server uploaded ${remembered}; ${rejectionFix({ scope }, id, sha256)}`,
    );
  }
  const repository = remotePathText(settings, server);
  const trust = await copyTrust(repository, isOwn, scope, copy.signedBy);
  const record = parseRecord(id, "signature", signature?.toString("utf8"));
  const authenticity = judgeBackup(
    { id, manifestId: manifest.id, sha256, signature: record },
    // An earlier version has uploaded exactly these bytes, without a signature.
    { ...trust, acceptsUnsigned: trust.acceptsUnsigned || isRemembered },
    accept === undefined ? [] : [accept],
  );
  if (authenticity.problem !== null)
    throw new AgentError(`${remotePath} is rejected: ${authenticity.problem}`);
  await trustFrom(repository, trust, authenticity);
  const known = parseRecord(id, "copies", copies?.toString("utf8"));
  // Only the agent that signed the backup can say what copies it has made.
  if (isOwn && known && known.key !== null && known.key === authenticity.key)
    await adoptKnownCopies(known.record.copies, (id) =>
      remotePathText(settings, server, copyName(id)),
    );
  return { manifest, authenticity, isRemembered };
}

/** Takes the records out of the folder of an unpacked copy, which then contains only the backup. */
async function takeRecords(folder: string): Promise<(Buffer | undefined)[]> {
  const files = [copySignatureFile, knownCopiesFile].map((name) => path.join(folder, name));
  const records = await Promise.all(files.map((file) => readIfRegularFile(file)));
  for (const file of files) await rm(file, { recursive: true, force: true });
  return records;
}
