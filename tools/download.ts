import { createWriteStream } from "node:fs";
import { basename, join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { ReadableStream } from "node:stream/web";
import { requireChecksum, verifyChecksum } from "./checksums";

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

/** A file to download. */
export interface Download {
  readonly url: string;
  /** Where to save it, under the name that it has in the URL. */
  readonly folder: string;
  readonly onPercent: (percent: number) => void;
  /** The file with its checksum. @default `tools/checksums.txt` */
  readonly checksums?: string;
}

/**
 * Downloads a file and compares its checksum; returns its path. Raises {@link DownloadError} if the server cannot be reached,
 * and `RequirementError` if the file is not the expected one or, before anything is downloaded, if its checksum is unknown.
 */
export async function downloadVerified({
  url,
  folder,
  onPercent,
  checksums,
}: Download): Promise<string> {
  const path = join(folder, basename(new URL(url).pathname));
  requireChecksum(basename(path), checksums);
  await download(url, path, onPercent);
  await verifyChecksum(path, checksums);
  return path;
}

async function download(
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
