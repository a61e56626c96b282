import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdir, rm } from "node:fs/promises";
import path from "node:path";
import { text } from "node:stream/consumers";
import { scratchFolder } from "./protocol";

/** Archive of a new cluster of the image's PostgreSQL (images/Dockerfile). */
const packedCluster = "/usr/local/lib/stagecraft/scratch.tar.zst";

/** New clusters, one of them unpacked ahead. Each is used once: files may contain code, which could change a cluster. */
export class SpareCluster {
  #next: Promise<string> | undefined;

  /** Unpacks the next cluster. */
  prepare(): void {
    this.#next ??= unpack();
    // The one who takes it gets the error.
    this.#next.catch(() => undefined);
  }

  /** Calls `use` with the folder of a new cluster, and deletes it. `use` must leave no process running in it. */
  async use<T>(use: (cluster: string) => Promise<T>): Promise<T> {
    const cluster = await this.#take();
    try {
      return await use(cluster);
    } finally {
      await rm(cluster, { recursive: true, force: true });
      this.prepare();
    }
  }

  async #take(): Promise<string> {
    const next = this.#next;
    this.#next = undefined;
    return next ?? unpack();
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
