import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import path from "node:path";
import { text } from "node:stream/consumers";
import { AgentError } from "../system/errors";
import { stateFolder } from "../system/state-folder";

/** Archive of a new cluster of the image's PostgreSQL (images/Dockerfile). */
const packedCluster = "/usr/local/lib/stagecraft/scratch.tar.zst";

/** Scratch clusters, in the agent's volume. */
const folder = path.join(stateFolder, "scratch");

/** A cluster in use for longer than this belongs to a killed agent. */
const maxUseSeconds = 600;

/** Parameters for a small footprint; the caller's arguments follow and override them. */
const minimalParameters = {
  fsync: "off",
  huge_pages: "off",
  log_checkpoints: "off",
  max_connections: "4",
  max_wal_senders: "0",
  shared_buffers: "128kB",
};

/** Exit status and output of a program. */
export interface ScratchOutput {
  /** 0 even when a statement failed: stdout then lacks its rows and stderr has the error. 1 when PostgreSQL did not start. */
  readonly status: number;
  /** The output of `COPY … TO STDOUT` only. */
  readonly stdout: string;
  /** The server log. */
  readonly stderr: string;
}

/**
 * Runs `postgres --single` on a scratch cluster, to check a candidate file with the server's own version of PostgreSQL.
 * The real server is not involved. Takes about 30 ms, plus 0.1 s the first time after the machine has booted.
 *
 * @param args Further arguments, e.g. `["-c", "hba_file=/tmp/candidate"]`.
 * @param sql Statements, without an empty line after a semicolon. Use `COPY … TO STDOUT` to get rows.
 */
export async function runOnScratchCluster(
  args: readonly string[],
  sql: string,
): Promise<ScratchOutput> {
  const settings = Object.entries(minimalParameters).flatMap(([name, value]) => [
    "-c",
    `${name}=${value}`,
  ]);
  return withScratchCluster(async (cluster) => {
    // Last, so that no file of the caller can lead to the real cluster, which another container has open.
    const dataDirectory = ["-c", `data_directory=${cluster}`];
    const all = [
      "--single",
      "-j",
      "-D",
      cluster,
      ...settings,
      ...args,
      ...dataDirectory,
      "postgres",
    ];
    const output = await run("postgres", all, sql);
    return { ...output, stdout: withoutPrompts(output.stdout) };
  });
}

/** Calls `use` with the folder of a scratch cluster. `use` must leave no process running in it. */
export async function withScratchCluster<T>(use: (cluster: string) => Promise<T>): Promise<T> {
  const key = await clusterKey();
  const cluster = await claim(key);
  try {
    return await use(cluster);
  } finally {
    await release(cluster, key);
  }
}

/**
 * Folder name of the idle cluster. A cluster is never synced to disk, so the name contains the boot id as well as the
 * version of PostgreSQL.
 */
async function clusterKey(): Promise<string> {
  const [{ stdout: version }, boot] = await Promise.all([
    run("postgres", ["--version"], ""),
    readFile("/proc/sys/kernel/random/boot_id", "utf8"),
  ]);
  return `${/\d+(?:\.\d+)*\S*/.exec(version)?.[0] ?? "unknown"}-${boot.trim()}`;
}

/** Claims the idle cluster by renaming it; if another caller has claimed it, unpacks a new one. */
async function claim(key: string): Promise<string> {
  const own = path.join(folder, `${key}.${randomBytes(6).toString("hex")}`);
  await mkdir(folder, { recursive: true });
  try {
    await rename(path.join(folder, key), own);
  } catch {
    await removeStale(key);
    await unpack(own);
  }
  return own;
}

async function release(own: string, key: string): Promise<void> {
  try {
    await rename(own, path.join(folder, key));
  } catch {
    await rm(own, { recursive: true, force: true });
  }
}

async function unpack(cluster: string): Promise<void> {
  await mkdir(cluster, { mode: 0o700 });
  const { status, stderr } = await run("tar", ["--zstd", "-xf", packedCluster, "-C", cluster], "");
  if (status === 0) return;
  await rm(cluster, { recursive: true, force: true });
  throw new AgentError(
    `cannot create the scratch cluster for checking configuration files in ${folder}: ${stderr.trim()}`,
  );
}

/** Removes clusters of other versions, of earlier boots of the machine and of killed agents. */
async function removeStale(key: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const cluster = path.join(folder, name);
    const found = await stat(cluster).catch(() => undefined);
    const isStale = found && Date.now() - found.mtimeMs > maxUseSeconds * 1000;
    if (name.startsWith(key) && isStale !== true) continue;
    await rm(cluster, { recursive: true, force: true });
  }
}

async function run(
  program: string,
  args: readonly string[],
  stdin: string,
): Promise<ScratchOutput> {
  const environment = { ...process.env, LC_ALL: "C.UTF-8", LC_MESSAGES: "C" };
  const child = spawn(program, args, { env: environment, stdio: "pipe" });
  const status = new Promise<number>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => {
      resolve(code ?? 255);
    });
  });
  // The program may exit before it has read all of its input.
  child.stdin.on("error", () => undefined);
  child.stdin.end(stdin);
  const [code, stdout, stderr] = await Promise.all([
    status,
    text(child.stdout),
    text(child.stderr),
  ]);
  return { status: code, stdout, stderr };
}

/** Removes the banner and the prompts of single-user mode, which is interactive. */
function withoutPrompts(stdout: string): string {
  return stdout
    .replace(/^\nPostgreSQL stand-alone backend .*\n(?:backend> )?/, "")
    .replace(/backend> \n?$/, "");
}
