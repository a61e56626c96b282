import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { writeFileAtomically } from "../../../../agent/system/atomic-file";

const folder = mkdtempSync(join(tmpdir(), "sct-atomic-"));

afterEach(() => {
  rmSync(folder, { recursive: true });
});

test("a file that is written many times at once is one of the texts, and nothing else is left", async () => {
  const texts = Array.from({ length: 20 }, (_, i) => `text ${i} `.repeat(1000));
  const file = join(folder, "state.json");
  await Promise.all(texts.map(async (text) => writeFileAtomically(file, text)));
  expect(texts).toContain(readFileSync(file, "utf8"));
  expect(readdirSync(folder)).toEqual(["state.json"]);
});
