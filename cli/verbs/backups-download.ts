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
import { findAgent } from "../server/agent";
import { environmentFor } from "../server/docker";
import { Problem } from "../base/problem";
import type { StackName } from "../project/stacks";

/** The manifest and its SHA-256, which it does not list. */
const [manifestFile, sealFile] = ["manifest.json", "manifest.sha256"];

/**
 * `stagecraft backups download`: a backup as a folder on this machine. It has its name when every file has arrived as
 * its manifest says, and until then another one.
 */
export async function runBackupsDownload(
  folder: string,
  stack: StackName,
  id: string,
  into: string,
  { json }: { readonly json?: boolean },
): Promise<void> {
  const target = path.resolve(into, id);
  if (existsSync(target)) throw new Problem(`${target} is there already`, "name another folder");
  const partial = `${target}.partial`;
  const { host, agent } = await findAgent(folder, stack);
  await rm(partial, { recursive: true, force: true });
  await mkdir(partial, { recursive: true });
  try {
    await receive(await environmentFor(host), agent, id, partial);
    const arrived = path.join(partial, id);
    const manifest = await check(arrived, id);
    await rename(arrived, target);
    await sync(path.dirname(target));
    const bytes = backupBytes(manifest);
    console.log(
      json
        ? JSON.stringify({ folder: target, bytes, files: manifest.files.length }, null, 2)
        : `${target}   ${formatBytes(bytes)}, every file as in the manifest`,
    );
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}

async function receive(
  env: NodeJS.ProcessEnv,
  agent: string,
  id: string,
  partial: string,
): Promise<void> {
  const send = ["exec", agent, "stagecraft-agent", "backups-send", id];
  const sending = spawn("docker", send, { env, stdio: ["ignore", "pipe", "pipe"] });
  const taking = spawn("tar", ["-xf", "-", "--no-same-owner", "-C", partial], {
    stdio: ["pipe", "ignore", "pipe"],
  });
  // It may end before all has come; its status tells.
  taking.stdin.on("error", () => undefined);
  sending.stdout.pipe(taking.stdin);
  const [sent, taken] = await Promise.all([endOf(sending), endOf(taking)]);
  if (sent.status !== 0) throw new Problem(lastLine(sent.stderr));
  if (taken.status !== 0) throw new Problem(`it did not arrive whole: ${lastLine(taken.stderr)}`);
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

/** Compares what arrived with its manifest, and that with its SHA-256; what is there is on the disk afterwards. */
async function check(folder: string, id: string): Promise<Manifest> {
  const refuse = (what: string): never => {
    throw new Problem(`backup ${id} did not arrive as it was made: ${what}`, "download it again");
  };
  const written = await readFile(path.join(folder, manifestFile), "utf8");
  const seal = await readFile(path.join(folder, sealFile), "utf8").catch(() => "");
  const sha256 = createHash("sha256").update(written).digest("hex");
  if (seal !== `${sha256}  ${manifestFile}\n`) refuse(`${manifestFile} was altered`);
  const manifest = manifestSchema.parse(JSON.parse(written));
  const names = await readdir(folder, { recursive: true, withFileTypes: true });
  const found: StoredFile[] = [];
  for (const entry of names.filter((entry) => !entry.isDirectory())) {
    const file = path.join(entry.parentPath, entry.name);
    const relative = path.relative(folder, file);
    if (relative === manifestFile || relative === sealFile) continue;
    const { size } = await stat(file);
    found.push({ path: relative, bytes: size, sha256: await sha256OfFile(file) });
    await sync(file);
  }
  const [problem] = compareFiles(manifest.files, found);
  if (problem !== undefined) refuse(problem);
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
