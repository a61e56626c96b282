import { createHash } from "node:crypto";
import type { OffsiteCopy } from "../../model/backup/catalogue";
import { encryptedBytes } from "../../model/backup/encrypted-size";
import type { Manifest } from "../../model/backup/manifest";
import {
  copyName,
  partialCopyName,
  remotePathText,
  type OffsiteConfig,
} from "../../model/backup/offsite-config";
import type { BackupId } from "../../model/base/names";
import { formatBytes, formatDuration } from "../../model/base/units";
import { AgentError, messageOf } from "../system/errors";
import {
  backupFolder,
  saveOffsiteCopy,
  manifestFiles,
  readManifest,
} from "../repository/repository";
import { fileProblems } from "../repository/backup-files";
import type { Stage } from "./pipeline";
import { encryption } from "./encryption";
import { Remote, withSpool } from "./remote";

/** What a stream was, measured as it went by. */
interface StreamFacts {
  readonly bytes: number;
  readonly sha256: string;
}

/** Copies a backup to the remote, encrypted, reads it back, and records what became of it. */
export async function uploadCopy(
  settings: OffsiteConfig,
  server: string,
  id: BackupId,
  signal?: AbortSignal,
): Promise<OffsiteCopy> {
  const remote = new Remote(settings, server, signal);
  const begin = Date.now();
  const place = remotePathText(settings, server, copyName(id));
  const record = (
    facts: Pick<OffsiteCopy, "result" | "text"> & Partial<StreamFacts>,
  ): OffsiteCopy => ({
    ...{ remote: place, at: new Date().toISOString(), bytes: 0, sha256: null, ...facts },
  });
  let copy: OffsiteCopy;
  try {
    const measure = await withSpool(async () => upload(remote, settings, id));
    const took = formatDuration((Date.now() - begin) / 1000);
    const text = `${formatBytes(measure.bytes)} uploaded and read back in ${took}`;
    copy = record({ result: "uploaded", ...measure, text });
  } catch (error) {
    await remote.remove(partialCopyName(id)).catch(() => undefined);
    copy = record({ result: "failed", text: `no copy at ${place}: ${messageOf(error)}` });
  }
  await saveOffsiteCopy(id, copy);
  return copy;
}

async function upload(remote: Remote, settings: OffsiteConfig, id: BackupId): Promise<StreamFacts> {
  const manifest = await readManifest(id);
  if (!manifest) throw new AgentError(`there is no backup ${id} here`);
  const wrong = await fileProblems(id);
  if (wrong.length > 0)
    throw new AgentError(`the backup is not what its manifest says: ${wrong.join(", ")}`);
  await removeLeftovers(remote);
  const partial = partialCopyName(id);
  const sent = streamMeter();
  const stages = [
    archive(manifest),
    { ...encryption(settings.recipients), watch: sent.watch },
    remote.write(partial, encryptedBytes(manifest.files)),
  ];
  await remote.run(
    stages,
    [...manifestFiles, ...manifest.files.map(({ path }) => path)].join("\0"),
  );
  const there = streamMeter();
  await remote.run([remote.read(partial, there.watch)]);
  const [wanted, found] = [sent.result(), there.result()];
  if (wanted.sha256 !== found.sha256) {
    throw new AgentError(
      `what is read back is not what was sent: ${found.bytes} bytes with SHA-256 ${found.sha256}, sent ${wanted.bytes} with ${wanted.sha256}; the next job tries again`,
    );
  }
  await remote.rename(partial, copyName(id));
  await checkUploaded(remote, id, wanted.bytes);
  return wanted;
}

/** The program that writes a backup as a tar, the manifest first; the names of its files are on its stdin. */
function archive({ id }: Manifest): Stage {
  const names = ["--no-recursion", "--null", "--verbatim-files-from", "--files-from=-"];
  const owner = ["--owner=0", "--group=0", "--numeric-owner"];
  return {
    program: "tar",
    args: ["--create", "--file=-", `--directory=${backupFolder(id)}`, ...owner, ...names],
  };
}

/** Uploads that were cut leave a part behind; no other one is under way, because jobs do not overlap. */
async function removeLeftovers(remote: Remote): Promise<void> {
  const files = await remote.files();
  for (const { name } of files.filter(({ name }) => name.endsWith(".partial"))) {
    await remote.remove(name);
  }
  await remote.tidy().catch(() => undefined);
}

/** Some remotes answer a rename before it is done, and some never do it. */
async function checkUploaded(remote: Remote, id: BackupId, bytes: number): Promise<void> {
  const copy = (await remote.copies()).find((copy) => copy.id === id);
  if (copy?.bytes === bytes) return;
  const found = copy ? `has ${copy.bytes} bytes there, sent ${bytes}` : "is not there";
  throw new AgentError(`after its upload ${copyName(id)} ${found}; the next job tries again`);
}

/** Takes the size and the SHA-256 of what goes by. */
export function streamMeter(): {
  readonly watch: (piece: Buffer) => void;
  readonly result: () => StreamFacts;
} {
  const hash = createHash("sha256");
  let bytes = 0;
  return {
    watch: (piece) => {
      bytes += piece.length;
      hash.update(piece);
    },
    result: () => ({ bytes, sha256: hash.digest("hex") }),
  };
}
