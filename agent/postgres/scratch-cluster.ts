import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import path from "node:path";
import { text } from "node:stream/consumers";
import { AgentError } from "../system/errors";
import { stateFolder } from "../system/state-folder";

/** A fresh cluster of the image's PostgreSQL (images/Dockerfile). */
const packedCluster = "/usr/local/lib/stagecraft/scratch.tar.zst";

/** Where scratch clusters lie: in the agent's volume. */
const folder = path.join(stateFolder, "scratch");

/** A cluster in use for longer belongs to an agent that was killed. */
const longestUseSeconds = 600;

/** Small and in nobody's way; what a caller asks for comes behind and wins. */
const minimalParameters = {
  fsync: "off",
  huge_pages: "off",
  log_checkpoints: "off",
  max_connections: "4",
  max_wal_senders: "0",
  shared_buffers: "128kB",
};

/** What a program ended with and said. */
export interface ScratchOutput {
  /** 0 also when a statement failed: stdout lacks its rows then and stderr has the error. 1 when PostgreSQL would not start. */
  readonly status: number;
  /** The output of `COPY … TO STDOUT`, and of nothing else. */
  readonly stdout: string;
  /** The server log. */
  readonly stderr: string;
}

/**
 * Runs `postgres --single` on a scratch cluster, to learn what the server's own version makes of a candidate file.
 * The real server is not involved. Takes about 30 ms, and 0.1 s more the first time after a start of the machine.
 *
 * @param args Further arguments, e.g. `["-c", "hba_file=/tmp/candidate"]`.
 * @param sql Statements, without an empty line behind a semicolon. Rows come back by `COPY … TO STDOUT`.
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
    // Last, so that no file a caller brings can lead to the real cluster, which another container has open.
    const place = ["-c", `data_directory=${cluster}`];
    const all = ["--single", "-j", "-D", cluster, ...settings, ...args, ...place, "postgres"];
    const { stdout, ...said } = await run("postgres", all, sql);
    return { ...said, stdout: withoutPrompts(stdout) };
  });
}

/** Lends a scratch cluster; `use` gets its folder and leaves no process in it. */
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
 * The name of the cluster that waits for its next use. It is never synced to disk, so it belongs to one start of the
 * machine as well as to one version.
 */
async function clusterKey(): Promise<string> {
  const [{ stdout: version }, boot] = await Promise.all([
    run("postgres", ["--version"], ""),
    readFile("/proc/sys/kernel/random/boot_id", "utf8"),
  ]);
  return `${/\d+(?:\.\d+)*\S*/.exec(version)?.[0] ?? "unknown"}-${boot.trim()}`;
}

/** Takes the waiting cluster for oneself, by a name of its own: of two at once, the second one makes another. */
async function claim(key: string): Promise<string> {
  const own = path.join(folder, `${key}.${randomBytes(6).toString("hex")}`);
  await mkdir(folder, { recursive: true });
  try {
    await rename(path.join(folder, key), own);
  } catch {
    await sweep(key);
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
    `the scratch cluster that candidate files are checked with could not be made in ${folder}: ${stderr.trim()}`,
  );
}

/** Removes what other versions, former starts of the machine and killed agents left. */
async function sweep(key: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const cluster = path.join(folder, name);
    const found = await stat(cluster).catch(() => undefined);
    const isIdle = found && Date.now() - found.mtimeMs > longestUseSeconds * 1000;
    if (name.startsWith(key) && isIdle !== true) continue;
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
  // It may end before it has read everything.
  child.stdin.on("error", () => undefined);
  child.stdin.end(stdin);
  const [code, stdout, stderr] = await Promise.all([
    status,
    text(child.stdout),
    text(child.stderr),
  ]);
  return { status: code, stdout, stderr };
}

/** Single-user mode is made for people: it greets, and asks for each entry. */
function withoutPrompts(stdout: string): string {
  return stdout
    .replace(/^\nPostgreSQL stand-alone backend .*\n(?:backend> )?/, "")
    .replace(/backend> \n?$/, "");
}
