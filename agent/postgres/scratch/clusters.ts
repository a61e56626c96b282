import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdir, rm } from "node:fs/promises";
import path from "node:path";
import { text } from "node:stream/consumers";
import { scratchFolder } from "./protocol";

/** Archive of a new cluster of the image's PostgreSQL (images/Dockerfile). */
const packedCluster = "/usr/local/lib/stagecraft/scratch.tar.zst";

/** Calls `use` with the folder of a new cluster, and deletes it. `use` must leave no process running in it. */
export async function withNewCluster<T>(use: (cluster: string) => Promise<T>): Promise<T> {
  const cluster = await unpack();
  try {
    return await use(cluster);
  } finally {
    await rm(cluster, { recursive: true, force: true });
  }
}

/** A cluster for trials, which leave nothing in it: unpacked once, used by one trial at a time. */
export class TrialCluster {
  #cluster: Promise<string> | undefined;
  #last: Promise<unknown> = Promise.resolve();

  /** Calls `use` when the previous trial has ended. After an error the next trial gets a new cluster. */
  async use<T>(use: (cluster: string) => Promise<T>): Promise<T> {
    const run = this.#last.then(async () => this.#run(use));
    this.#last = run.catch(() => undefined);
    return run;
  }

  async #run<T>(use: (cluster: string) => Promise<T>): Promise<T> {
    this.#cluster ??= unpack();
    const cluster = this.#cluster;
    try {
      return await use(await cluster);
    } catch (error) {
      this.#cluster = undefined;
      await rm(await cluster.catch(() => ""), { recursive: true, force: true });
      throw error;
    }
  }
}

async function unpack(): Promise<string> {
  const cluster = path.join(scratchFolder, `cluster-${randomBytes(6).toString("hex")}`);
  await mkdir(cluster, { mode: 0o700 });
  const child = spawn("tar", ["--zstd", "-xf", packedCluster, "-C", cluster], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  const ended = new Promise<number>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => {
      resolve(code ?? 255);
    });
  });
  const [status, stderr] = await Promise.all([ended, text(child.stderr)]);
  if (status === 0) return cluster;
  await rm(cluster, { recursive: true, force: true });
  throw new Error(`cannot create a scratch cluster in ${scratchFolder}: ${stderr.trim()}`);
}
