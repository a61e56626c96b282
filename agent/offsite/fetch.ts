import { mkdir, rename, rm, statfs } from "node:fs/promises";
import path from "node:path";
import type { Manifest } from "../../model/backup/manifest";
import { type OffsiteConfig } from "../../model/backup/offsite-config";
import { copyName, remotePathText } from "../../model/backup/remote-copies";
import type { BackupId } from "../../model/base/names";
import { formatBytes } from "../../model/base/units";
import { fsyncFolder, fsyncPath } from "../system/fsync";
import { AgentError } from "../system/errors";
import type { Authenticity } from "../../model/backup/authenticity";
import type { ManifestSignature } from "../../model/backup/signature";
import type { OffsiteFetch } from "../../model/backup/offsite-protocol";
import { fileProblems } from "../repository/backup-files";
import { saveRecord } from "../repository/records";
import { publicKey } from "../repository/signing-key";
import { checkCopy } from "./check-copy";
import { saveOffsiteCopy, saveVerification } from "../repository/repository";
import { backupFolder, readManifest, repositoryFolder } from "../repository/stored-backup";
import { readKnownCopies } from "../repository/known-offsite-copies";
import { PipelineError, type Stage } from "./pipeline";
import { Remote } from "./remote";
import { streamMeter } from "./upload";

/** The copy to fetch. */
export interface FetchedCopy extends Pick<OffsiteFetch, "id" | "identity" | "accept"> {
  /** The server whose copy it is. */
  readonly server: string;
  /** Whether that is this server. */
  readonly isOwn: boolean;
}

/** Fetches a backup from its off-site copy: downloads, decrypts, checks that it is genuine, compares it with its manifest. */
export async function fetchCopy(
  settings: OffsiteConfig,
  { server, isOwn, id, identity, accept }: FetchedCopy,
): Promise<Manifest> {
  const remotePath = remotePathText(settings, server, copyName(id));
  if (await readManifest(id)) throw new AgentError(`backup ${id} is already on this server`);
  const remote = new Remote(settings, server);
  const copies = await remote.copies();
  const copy = copies.find((copy) => copy.id === id);
  if (!copy) {
    const existing = copies.length > 0 ? copies.map(({ id }) => id).join(", ") : "none";
    throw new AgentError(`no copy ${remotePath}; existing copies: ${existing}`);
  }
  await requireSpace(copy.bytes);
  // Not the folder name of a backup in progress, which is removed when no job runs.
  const name = `${id}.fetched.partial`;
  const partial = path.join(repositoryFolder, name);
  await rm(partial, { recursive: true, force: true });
  await mkdir(partial, { recursive: true, mode: 0o700 });
  try {
    const meter = streamMeter();
    await unpackCopy(remote, { id, remotePath, identity, folder: partial, onData: meter.onData });
    const { bytes, sha256 } = meter.result();
    const place = { scope: "fetched copy", parent: repositoryFolder, name, sha256 } as const;
    const genuine = await checkCopy({ id, settings, server, isOwn, accept, ...place });
    await compareAndRename(id, name, remotePath, genuine.authenticity);
    const at = new Date().toISOString();
    const text = "fetched";
    await saveOffsiteCopy(id, { result: "uploaded", remote: remotePath, at, bytes, sha256, text });
    if (genuine.isRemembered) await restoreVerification(id, genuine.authenticity, at);
    return genuine.manifest;
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}

/**
 * Restores the verification of a backup whose copy is byte for byte what this agent uploaded; encryption never produces
 * the same bytes twice.
 */
async function restoreVerification(
  id: BackupId,
  { manifest }: Authenticity,
  checkedAt: string,
): Promise<void> {
  const was = (await readKnownCopies()).find((copy) => copy.id === id)?.was;
  if (!was?.verification) return;
  await saveVerification(id, { ...was.verification, from: "off-site", checkedAt, manifest });
}

/** Downloads, decrypts and unpacks a copy into a folder; throws an {@link AgentError} when it is incomplete or altered. */
export async function unpackCopy(
  remote: Remote,
  copy: {
    readonly id: BackupId;
    /** Remote and path of the copy, for messages. */
    readonly remotePath: string;
    readonly identity: string;
    readonly folder: string;
    readonly onData?: (chunk: Buffer) => void;
  },
): Promise<void> {
  const { id, remotePath, identity, folder, onData = () => undefined } = copy;
  const stages = [remote.read(copyName(id), onData), decryption(identity), unpacking(folder)];
  await remote.run(stages).catch((error: unknown) => {
    throw explainError(error, remotePath);
  });
}

/** Throws an {@link AgentError} when a copy of this size does not fit on the backup volume. */
export async function requireSpace(bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(repositoryFolder);
  const free = bavail * bsize;
  if (free > 1.05 * bytes) return;
  throw new AgentError(
    `the copy has ${formatBytes(bytes)}, but the backup volume has only ${formatBytes(free)} free; free some space there`,
  );
}

/** Decrypts stdin to stdout with age. The identity comes from a pipe, never from a file or an argument. */
function decryption(identity: string): Stage {
  const script = "exec age --decrypt --identity <(exec cat <&3)";
  return { program: "bash", args: ["-c", script], secret: identity };
}

/** Unpacks a tar from stdin. Its owners and permissions are ignored: anyone with write access to the remote could have set them. */
function unpacking(folder: string): Stage {
  const args = ["--extract", "--file=-", `--directory=${folder}`, "--no-same-owner"];
  return { program: "tar", args: [...args, "--no-same-permissions"] };
}

function explainError(error: unknown, remotePath: string): unknown {
  if (!(error instanceof PipelineError)) return error;
  const { program, stderr } = error;
  const cause = { cause: error };
  if (program === "tar") {
    return new AgentError(`cannot unpack ${remotePath}: ${stderr.trim()}`, cause);
  }
  if (/no identity matched/.test(stderr)) {
    const fix =
      "use the private key of a public key that was in backups.offsite.recipients at the time of the backup";
    return new AgentError(`the key does not decrypt ${remotePath}; ${fix}`, cause);
  }
  if (/identity|passphrase|failed to read "/.test(stderr)) {
    const fix = "use a file created by age-keygen, or an SSH key without a passphrase";
    return new AgentError(`the identity file is not a private key for age; ${fix}`, cause);
  }
  return new AgentError(
    `${remotePath} does not decrypt as a whole: it was altered or truncated after its upload; use another copy`,
    cause,
  );
}

/** Compares a fetched backup with its manifest, vouches for it, and gives it its final name. */
async function compareAndRename(
  id: BackupId,
  name: string,
  remotePath: string,
  authenticity: Authenticity,
): Promise<void> {
  const partial = path.join(repositoryFolder, name);
  const problems = await fileProblems(name);
  if (problems.length > 0)
    throw new AgentError(`${remotePath} is incomplete or altered: ${problems.join(", ")}`);
  await fsyncFolder(partial);
  await vouchFor(id, authenticity);
  await rename(partial, backupFolder(id));
  await fsyncPath(repositoryFolder);
}

/** Signs that a fetched backup is genuine, as its copy was judged. */
async function vouchFor(id: BackupId, { state, manifest, key }: Authenticity): Promise<void> {
  const isOwn = state === "signed" && key === (await publicKey());
  const reason = isOwn ? "made" : (fetchedReasons[state] ?? "fetched");
  await saveRecord(id, "signature", { manifest, reason, at: new Date().toISOString() });
}

/** Reasons to vouch for a fetched backup that has no signature of its server. */
const fetchedReasons: Partial<Record<Authenticity["state"], ManifestSignature["reason"]>> = {
  unsigned: "earlier version",
  accepted: "accepted",
};
