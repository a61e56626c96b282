import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { sha256Of, sha256OfFile } from "../../../../agent/system/digest";

const folder = mkdtempSync(join(tmpdir(), "stagecraft-digest-"));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const piece = 2 ** 20;

test.each([0, 1, piece - 1, piece, piece + 1, 2 * piece, 3 * piece + 7])(
  "a file of %i bytes has the digest of its contents, and every byte is heard of once",
  async (bytes) => {
    const contents = randomBytes(bytes);
    const file = join(folder, "file");
    writeFileSync(file, contents);
    let heard = 0;
    const digest = await sha256OfFile(file, (bytes) => (heard += bytes));
    expect(digest).toBe(sha256Of(contents));
    expect(heard).toBe(bytes);
  },
);

test("a file that is not there is told of", async () => {
  await expect(sha256OfFile(join(folder, "none"))).rejects.toThrow(/ENOENT/);
});
