import { mkdir, rename, rm, statfs } from "node:fs/promises";
import path from "node:path";
import type { Manifest } from "../../model/backup/manifest";
import { copyName, remotePathText, type OffsiteConfig } from "../../model/backup/offsite-config";
import type { BackupId } from "../../model/base/names";
import { formatBytes } from "../../model/base/units";
import { fsyncFolder, fsyncPath } from "../system/fsync";
import { AgentError } from "../system/errors";
import {
  backupFolder,
  saveOffsiteCopy,
  saveVerification,
  readManifest,
  repositoryFolder,
} from "../repository/repository";
import { fileProblems } from "../repository/backup-files";
import { readKnownCopies } from "../repository/known-offsite-copies";
import { PipelineError, type Stage } from "./pipeline";
import { Remote } from "./remote";
import { streamMeter } from "./upload";

/** Brings a backup back from its off-site copy: downloads, decrypts, checks it against its manifest. */
export async function fetchCopy(
  settings: OffsiteConfig,
  server: string,
  id: BackupId,
  identity: string,
): Promise<Manifest> {
  const place = remotePathText(settings, server, copyName(id));
  if (await readManifest(id)) throw new AgentError(`backup ${id} is here already`);
  const remote = new Remote(settings, server);
  const copies = await remote.copies();
  const copy = copies.find((copy) => copy.id === id);
  if (!copy) {
    const there = copies.length > 0 ? copies.map(({ id }) => id).join(", ") : "none";
    throw new AgentError(`there is no copy ${place}; those that are there: ${there}`);
  }
  await requireSpace(copy.bytes);
  // Not the name of a backup that is being made, which is cleared away when no job runs.
  const partial = path.join(repositoryFolder, `${id}.fetched.partial`);
  await rm(partial, { recursive: true, force: true });
  await mkdir(partial, { recursive: true, mode: 0o700 });
  try {
    const found = streamMeter();
    await unpackCopy(remote, { id, place, identity, folder: partial, watch: found.watch });
    const manifest = await checkAndRename(id, partial, place);
    const at = new Date().toISOString();
    const text = "fetched from there";
    const { bytes, sha256 } = found.result();
    await saveOffsiteCopy(id, { result: "uploaded", remote: place, at, bytes, sha256, text });
    await restoreVerification(id, sha256, at);
    return manifest;
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}

/**
 * What proved a backup goes on to hold for what was fetched, if that is byte for byte what this agent sent: nobody
 * encrypts the same twice to the same bytes.
 */
async function restoreVerification(id: BackupId, sha256: string, checkedAt: string): Promise<void> {
  const was = (await readKnownCopies()).find((copy) => copy.id === id)?.was;
  if (!was?.verification || was.offsite.sha256 !== sha256) return;
  await saveVerification(id, { ...was.verification, from: "off-site", checkedAt });
}

/** Downloads, decrypts and unpacks a copy into a folder; throws an {@link AgentError} when it is not whole. */
export async function unpackCopy(
  remote: Remote,
  copy: {
    readonly id: BackupId;
    readonly place: string;
    readonly identity: string;
    readonly folder: string;
    readonly watch?: (piece: Buffer) => void;
  },
): Promise<void> {
  const { id, place, identity, folder, watch = () => undefined } = copy;
  const stages = [remote.read(copyName(id), watch), decryption(identity), unpacking(folder)];
  await remote.run(stages).catch((error: unknown) => {
    throw explainError(error, place);
  });
}

/** Throws an {@link AgentError} when a copy of this size does not fit where the backups lie. */
export async function requireSpace(bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(repositoryFolder);
  const free = bavail * bsize;
  if (free > 1.05 * bytes) return;
  throw new AgentError(
    `the copy has ${formatBytes(bytes)}, and ${formatBytes(free)} are free where the backups lie; make room there`,
  );
}

/** The program that decrypts. It takes the identity from a pipe that only it can read; no file ever has it. */
function decryption(identity: string): Stage {
  const script = "exec age --decrypt --identity <(exec cat <&3)";
  return { program: "bash", args: ["-c", script], secret: identity };
}

/** Without owners, and with rights of our own: anybody who may write there can pack what he likes. */
function unpacking(folder: string): Stage {
  const args = ["--extract", "--file=-", `--directory=${folder}`, "--no-same-owner"];
  return { program: "tar", args: [...args, "--no-same-permissions"] };
}

function explainError(error: unknown, place: string): unknown {
  if (!(error instanceof PipelineError)) return error;
  const { program, stderr } = error;
  const cause = { cause: error };
  if (program === "tar") {
    return new AgentError(`${place} could not be unpacked: ${stderr.trim()}`, cause);
  }
  if (/no identity matched/.test(stderr)) {
    const fix = "give one that belongs to a public key in backups.offsite.recipients of that day";
    return new AgentError(`the key does not open ${place}; ${fix}`, cause);
  }
  if (/identity|passphrase|failed to read "/.test(stderr)) {
    const fix = "give the file that age-keygen made, or an SSH key without a passphrase";
    return new AgentError(`what was given is no private key for age; ${fix}`, cause);
  }
  return new AgentError(
    `${place} was altered or cut since its upload, and cannot be decrypted; take another copy`,
    cause,
  );
}

async function checkAndRename(id: BackupId, partial: string, place: string): Promise<Manifest> {
  const manifest = await readManifest(path.basename(partial));
  if (manifest?.id !== id) {
    const found = manifest ? `is of backup ${manifest.id}` : "has no manifest that can be read";
    throw new AgentError(`${place} is not a copy of backup ${id}: it ${found}`);
  }
  const wrong = await fileProblems(path.basename(partial));
  if (wrong.length > 0) throw new AgentError(`${place} is not whole: ${wrong.join(", ")}`);
  await fsyncFolder(partial);
  await rename(partial, backupFolder(id));
  await fsyncPath(repositoryFolder);
  return manifest;
}
