import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import {
  isRealFolder,
  readIfRegularFile,
  readRegularFile,
} from "../../../../agent/system/regular-file";

const folder = mkdtempSync(join(tmpdir(), "stagecraft-regular-"));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const path = (name: string): string => join(folder, name);

test("a regular file is read, and one that is missing is undefined", async () => {
  writeFileSync(path("file"), "text");
  expect((await readRegularFile(path("file")))?.toString()).toBe("text");
  expect(await readRegularFile(path("missing"))).toBeUndefined();
  expect(await readRegularFile(join(path("file"), "below"))).toBeUndefined();
});

test.each([
  [
    "link",
    () => {
      symlinkSync(path("file"), path("link"));
    },
  ],
  // Whoever opens a pipe waits for the other end.
  ["pipe", () => execFileSync("mkfifo", [path("pipe")])],
  [
    "device",
    () => {
      symlinkSync("/dev/zero", path("device"));
    },
  ],
  [
    "folder",
    () => {
      mkdirSync(path("folder"));
    },
  ],
])("a %s is rejected at once", async (name, make) => {
  make();
  await expect(readRegularFile(path(name))).rejects.toThrow(`${name} is not a regular file`);
  expect(await readIfRegularFile(path(name))).toBeUndefined();
});

test("a link to a folder is no folder", async () => {
  mkdirSync(path("real"));
  symlinkSync(path("real"), path("alias"));
  expect(await isRealFolder(path("real"))).toBe(true);
  expect(await isRealFolder(path("alias"))).toBe(false);
  expect(await isRealFolder(path("missing"))).toBe(false);
});
