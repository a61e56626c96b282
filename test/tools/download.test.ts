import { createHash } from "node:crypto";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { downloadVerified } from "../../tools/download";
import { scratchFolder } from "../support/files/scratch-folder";

const file = "a tool";
const sha256 = createHash("sha256").update(file).digest("hex");

/** A server that answers every request with the file, and a download of it by this checksum. */
async function prepare(checksums: string) {
  const requests: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    requests.push(request.url);
    response.end(file);
  }).listen(0, "127.0.0.1");
  onTestFinished(() => {
    server.close();
  });
  await new Promise((resolve) => server.once("listening", resolve));
  const folder = await scratchFolder();
  const list = join(await scratchFolder(), "checksums.txt");
  await writeFile(list, checksums);
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}/releases/tool-1.0.tar.gz?from=here`;
  const download = downloadVerified({ url, folder, onPercent: () => undefined, checksums: list });
  return { requests, folder, download };
}

describe("a download", () => {
  test("is kept when its checksum is the expected one", async () => {
    const { folder, download } = await prepare(`${sha256}  tool-1.0.tar.gz\n`);
    expect(await download).toBe(join(folder, "tool-1.0.tar.gz"));
    expect(await readFile(join(folder, "tool-1.0.tar.gz"), "utf8")).toBe(file);
  });

  test("that is another file stops the set-up, with the file and both checksums", async () => {
    const expected = "1".repeat(64);
    const { download } = await prepare(`${expected}  tool-1.0.tar.gz\n`);
    await expect(download).rejects.toMatchObject({
      name: "RequirementError",
      what: `tool-1.0.tar.gz has the SHA-256 ${sha256}, but tools/checksums.txt expects ${expected}`,
    });
  });

  test("without a checksum is not even begun", async () => {
    const { requests, folder, download } = await prepare(`${sha256}  tool-1.1.tar.gz\n`);
    await expect(download).rejects.toMatchObject({
      name: "RequirementError",
      what: "tool-1.0.tar.gz is not downloaded, because tools/checksums.txt has no checksum for it",
    });
    expect(requests).toEqual([]);
    expect(await readdir(folder)).toEqual([]);
  });
});
