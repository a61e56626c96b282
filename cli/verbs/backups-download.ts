import { spawn, type ChildProcessByStdio } from "node:child_process";
import { createHash } from "node:crypto";
import { createReadStream, existsSync } from "node:fs";
import { mkdir, open, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import path from "node:path";
import type { Readable, Writable } from "node:stream";
import { text } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { compareFiles, type StoredFile } from "../../model/backup/manifest-comparison";
import { backupBytes, manifestSchema, type Manifest } from "../../model/backup/manifest";
import { formatBytes } from "../../model/base/units";
import { receiveStream, type AgentAddress } from "../../engine/agent-client";
import { findAgent } from "../server/agent";
import { requireStoredBackup } from "../server/catalogue";
import { Problem, Rejection } from "../base/problem";
import type { StackName } from "../project/stacks";

/** The manifest and the file with its SHA-256; the manifest lists neither. */
const [manifestFile, checksumFile] = ["manifest.json", "manifest.sha256"];

/**
 * `stagecraft backups download`: copies a backup to a folder on this machine. The folder gets its final name after every
 * file has been compared with the manifest.
 */
export async function runBackupsDownload(
  folder: string,
  stack: StackName,
  id: string,
  into: string,
  { json }: { readonly json?: boolean },
): Promise<void> {
  const target = path.resolve(into, id);
  if (existsSync(target)) throw new Rejection(`${target} already exists`, "use another folder");
  const partial = `${target}.partial`;
  await requireStoredBackup(folder, stack, id);
  const agent = await findAgent(folder, stack);
  await rm(partial, { recursive: true, force: true });
  await mkdir(partial, { recursive: true });
  try {
    await receive(agent, id, partial);
    const arrived = path.join(partial, id);
    const manifest = await check(arrived, id);
    await rename(arrived, target);
    await sync(path.dirname(target));
    const bytes = backupBytes(manifest);
    console.log(
      json
        ? JSON.stringify({ folder: target, bytes, files: manifest.files.length }, null, 2)
        : `${target}   ${formatBytes(bytes)}, all files match the manifest`,
    );
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}

async function receive(agent: AgentAddress, id: string, partial: string): Promise<void> {
  const { stdout, done } = await receiveStream(agent, "backups-send", { args: { id } });
  const unpacking = spawn("tar", ["-xf", "-", "--no-same-owner", "-C", partial], {
    stdio: ["pipe", "ignore", "pipe"],
  });
  // tar may exit before all data has arrived; its exit status is checked below.
  unpacking.stdin.on("error", () => undefined);
  stdout.pipe(unpacking.stdin);
  const [, unpacked] = await Promise.all([done, endOf(unpacking)]);
  if (unpacked.status !== 0) {
    throw new Problem(
      `the backup arrived incomplete: ${lastLine(unpacked.stderr)}`,
      "check the free space of the target folder and download it again",
    );
  }
}

async function endOf(
  child: ChildProcessByStdio<Writable | null, Readable | null, Readable>,
): Promise<{ readonly status: number | null; readonly stderr: string }> {
  const ended = new Promise<number | null>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", resolve);
  });
  const [status, stderr] = await Promise.all([ended, text(child.stderr)]);
  return { status, stderr };
}

/** Compares the files with the manifest, and the manifest with its SHA-256; syncs the files to disk. */
async function check(folder: string, id: string): Promise<Manifest> {
  const reject = (what: string): never => {
    throw new Problem(
      `the download of backup ${id} differs from the original: ${what}`,
      "download it again",
    );
  };
  const text = await readFile(path.join(folder, manifestFile), "utf8");
  const checksum = await readFile(path.join(folder, checksumFile), "utf8").catch(() => "");
  const sha256 = createHash("sha256").update(text).digest("hex");
  if (checksum !== `${sha256}  ${manifestFile}\n`) reject(`${manifestFile} was altered`);
  const manifest = manifestSchema.parse(JSON.parse(text));
  const names = await readdir(folder, { recursive: true, withFileTypes: true });
  const found: StoredFile[] = [];
  for (const entry of names.filter((entry) => !entry.isDirectory())) {
    const file = path.join(entry.parentPath, entry.name);
    const relative = path.relative(folder, file);
    if (relative === manifestFile || relative === checksumFile) continue;
    if (!entry.isFile()) {
      // A link could lead out of the folder, a pipe never ends.
      found.push({ path: relative, bytes: 0, sha256: null });
      continue;
    }
    const { size } = await stat(file);
    found.push({ path: relative, bytes: size, sha256: await sha256OfFile(file) });
    await sync(file);
  }
  const [problem] = compareFiles(manifest.files, found);
  if (problem !== undefined) reject(problem);
  return manifest;
}

async function sha256OfFile(file: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file), hash);
  return hash.digest("hex");
}

async function sync(file: string): Promise<void> {
  const handle = await open(file, "r");
  await handle.sync();
  await handle.close();
}

function lastLine(text: string): string {
  return text.trim().split("\n").at(-1) ?? "";
}
