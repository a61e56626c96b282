import { createWriteStream } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { ReadableStream } from "node:stream/web";

const connectSeconds = 5;
const silenceSeconds = 15;

/** Raised if a download fails; callers usually have an alternative. */
export class DownloadError extends Error {
  override readonly name = "DownloadError";
}

/** Whether a server responds within a few seconds. */
export async function isReachable(url: string): Promise<boolean> {
  try {
    await fetch(url, { method: "HEAD", signal: AbortSignal.timeout(connectSeconds * 1000) });
    return true;
  } catch {
    return false;
  }
}

/** Downloads a file and reports its progress; raises {@link DownloadError}. */
export async function download(
  url: string,
  path: string,
  onPercent: (percent: number) => void,
): Promise<void> {
  const stop = new AbortController();
  const within = (seconds: number): NodeJS.Timeout =>
    setTimeout(() => {
      stop.abort(new Error("no response"));
    }, seconds * 1000);
  let timer = within(connectSeconds);
  try {
    const response = await fetch(url, { signal: stop.signal });
    if (!response.ok || response.body === null) throw new Error(`status ${response.status}`);
    const total = Number(response.headers.get("content-length") ?? 0);
    let received = 0;
    const body = Readable.fromWeb(response.body as ReadableStream<Uint8Array>);
    body.on("data", (chunk: Buffer) => {
      clearTimeout(timer);
      timer = within(silenceSeconds);
      received += chunk.length;
      if (total > 0) onPercent(Math.floor((received / total) * 100));
    });
    await pipeline(body, createWriteStream(path), { signal: stop.signal });
  } catch (error) {
    throw new DownloadError(`${url}: ${error instanceof Error ? error.message : String(error)}`);
  } finally {
    clearTimeout(timer);
  }
}
