import { createHash } from "node:crypto";
import type { OffsiteCopy } from "../../model/backup/catalogue";
import { encryptedBytes } from "../../model/backup/encrypted-size";
import type { Manifest } from "../../model/backup/manifest";
import { type OffsiteConfig } from "../../model/backup/offsite-config";
import { copyName, partialCopyName, remotePathText } from "../../model/backup/remote-copies";
import type { BackupId } from "../../model/base/names";
import { formatBytes, formatDuration } from "../../model/base/units";
import { AgentError, messageOf } from "../system/errors";
import { saveOffsiteCopy } from "../repository/repository";
import { backupFolder, manifestFiles, readStoredManifest } from "../repository/stored-backup";
import { requireAuthentic } from "../repository/authenticity";
import { fileProblems } from "../repository/backup-files";
import { readKnownCopies } from "../repository/known-offsite-copies";
import { readRecord, recordFolder, saveRecord } from "../repository/records";
import type { Stage } from "./pipeline";
import { encryption } from "./encryption";
import { Remote, RemoteError, withSpool } from "./remote";

/** Size and SHA-256 of a stream. */
interface StreamFacts {
  readonly bytes: number;
  readonly sha256: string;
}

/** Uploads a backup, encrypted, reads the copy back, and records the result. */
export async function uploadCopy(
  settings: OffsiteConfig,
  server: string,
  id: BackupId,
  signal?: AbortSignal,
): Promise<OffsiteCopy> {
  const remote = new Remote(settings, server, signal);
  const begin = Date.now();
  const remotePath = remotePathText(settings, server, copyName(id));
  const record = (
    facts: Pick<OffsiteCopy, "result" | "text"> & Partial<StreamFacts>,
  ): OffsiteCopy => ({
    remote: remotePath,
    at: new Date().toISOString(),
    bytes: 0,
    sha256: null,
    ...facts,
  });
  let copy: OffsiteCopy;
  try {
    const uploaded = await withSpool(async () => upload(remote, settings, id));
    const duration = formatDuration((Date.now() - begin) / 1000);
    const text = `${formatBytes(uploaded.bytes)} uploaded and read back in ${duration}`;
    copy = record({ result: "uploaded", ...uploaded, text });
  } catch (error) {
    await remote.remove(partialCopyName(id)).catch(() => undefined);
    copy = record({ result: "failed", text: `no copy at ${remotePath}: ${messageOf(error)}` });
  }
  await saveOffsiteCopy(id, copy);
  return copy;
}

async function upload(remote: Remote, settings: OffsiteConfig, id: BackupId): Promise<StreamFacts> {
  const manifest = (await readStoredManifest(id))?.manifest;
  if (!manifest) throw new AgentError(`no backup ${id} on this server`);
  await requireAuthentic(id);
  const problems = await fileProblems(id);
  if (problems.length > 0)
    throw new AgentError(`the backup does not match its manifest: ${problems.join(", ")}`);
  const isAppendOnly = await removeLeftovers(remote);
  let sent: StreamFacts | undefined;
  if (!isAppendOnly) {
    sent = await send(remote, settings, manifest, partialCopyName(id));
    if (!(await renameCopy(remote, id, sent.bytes))) sent = undefined;
  }
  // Where nothing can be renamed, the copy has its name from the start; its record says whether it is complete.
  sent ??= await send(remote, settings, manifest, copyName(id));
  await checkUploaded(remote, id, sent.bytes);
  return sent;
}

/** Writes a backup to a file at the remote, encrypted, reads it back, and compares both. */
async function send(
  remote: Remote,
  settings: OffsiteConfig,
  manifest: Manifest,
  name: string,
): Promise<StreamFacts> {
  const sent = streamMeter();
  const signature = await readRecord(manifest.id, "signature");
  await saveRecord(manifest.id, "copies", { copies: await readKnownCopies() });
  const records = [...(signature === null ? [] : [copySignatureFile]), knownCopiesFile];
  const stages = [
    archive(manifest, records),
    { ...encryption(settings.recipients), onOutput: sent.onData },
    remote.write(name, encryptedBytes(manifest.files)),
  ];
  await remote.run(
    stages,
    [...manifestFiles, ...manifest.files.map(({ path }) => path)].join("\0"),
  );
  const readBack = streamMeter();
  await remote.run([remote.read(name, readBack.onData)]);
  const expected = sent.result();
  const found = readBack.result();
  if (expected.sha256 !== found.sha256) {
    throw new AgentError(
      `the copy differs from what was sent: ${found.bytes} bytes with SHA-256 ${found.sha256}, sent ${expected.bytes} with ${expected.sha256}; the next job tries again`,
    );
  }
  return expected;
}

/** Gives a checked copy its name; returns whether it has it. A remote may not allow that, because nothing can be deleted there. */
async function renameCopy(remote: Remote, id: BackupId, bytes: number): Promise<boolean> {
  try {
    await remote.rename(partialCopyName(id), copyName(id));
    return true;
  } catch (error) {
    if (!(error instanceof RemoteError) || !error.isDenied) throw error;
    // S3 copies the file, and then is not allowed to delete the other one.
    const copy = (await remote.copies()).find((copy) => copy.id === id);
    return copy?.bytes === bytes;
  }
}

/** Name of the signature's file in a copy, beside the files of the backup: it is the record of that name. */
export const copySignatureFile = "signature.json";

/** Name of the file in a copy that says what its agent knew of the other copies: it is the record of that name. */
export const knownCopiesFile = "copies.json";

/** Writes a backup to stdout as a tar; reads the file names from stdin, the manifest first. `records` are added at its end. */
function archive({ id }: Manifest, records: readonly string[]): Stage {
  const names = ["--no-recursion", "--null", "--verbatim-files-from", "--files-from=-"];
  const owner = ["--owner=0", "--group=0", "--numeric-owner"];
  const added = records.length === 0 ? [] : [`--directory=${recordFolder(id)}`, ...records];
  return {
    program: "tar",
    args: ["--create", "--file=-", `--directory=${backupFolder(id)}`, ...owner, ...names, ...added],
  };
}

/**
 * Removes what interrupted uploads left behind; no upload is running, because jobs do not overlap. Returns whether the remote
 * does not allow that.
 */
async function removeLeftovers(remote: Remote): Promise<boolean> {
  const files = await remote.files();
  let isAppendOnly = false;
  for (const { name } of files.filter(({ name }) => name.endsWith(".partial"))) {
    try {
      await remote.remove(name);
    } catch (error) {
      if (!(error instanceof RemoteError) || !error.isDenied) throw error;
      isAppendOnly = true;
    }
  }
  await remote.cleanUp().catch(() => undefined);
  return isAppendOnly;
}

/** Checks that the copy exists with its size after the rename: some remotes confirm a rename they have not done. */
async function checkUploaded(remote: Remote, id: BackupId, bytes: number): Promise<void> {
  const copy = (await remote.copies()).find((copy) => copy.id === id);
  if (copy?.bytes === bytes) return;
  const found = copy ? `has ${copy.bytes} bytes, sent ${bytes}` : "does not exist";
  throw new AgentError(`after its upload ${copyName(id)} ${found}; the next job tries again`);
}

/** Measures the size and SHA-256 of a stream; `onData` receives its chunks. */
export function streamMeter(): {
  readonly onData: (chunk: Buffer) => void;
  readonly result: () => StreamFacts;
} {
  const hash = createHash("sha256");
  let bytes = 0;
  return {
    onData: (chunk) => {
      bytes += chunk.length;
      hash.update(chunk);
    },
    result: () => ({ bytes, sha256: hash.digest("hex") }),
  };
}
