import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, expect, test } from "vitest";
import { readTextIfExists, writeFileAtomically } from "../../../../agent/system/atomic-file";
import { findForeignLinks } from "../../../../agent/system/foreign-links";
import {
  atRealPath,
  removeFile,
  renameFile,
  withRealFolder,
} from "../../../../agent/system/real-folder";

const folder = mkdtempSync(join(tmpdir(), "stagecraft-real-folder-"));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const [shared, own] = [join(folder, "shared"), join(folder, "own")];
const at = (name: string): string => join(shared, name);
const secret = join(own, "secret");

beforeEach(() => {
  for (const each of [shared, own]) {
    rmSync(each, { recursive: true, force: true });
    mkdirSync(each);
  }
  writeFileSync(secret, "the agent's");
});

test("a link in place of a file is replaced by a write, deleted as a link, and not read", async () => {
  for (const name of ["a", "b"]) symlinkSync(secret, at(name));
  await writeFileAtomically(at("a"), "new");
  expect(readFileSync(at("a"), "utf8")).toBe("new");
  await expect(readTextIfExists(at("b"))).rejects.toThrow(
    `${at("b")} is not a regular file, and the agent follows no link; remove it`,
  );
  await removeFile(at("b"));
  expect(existsSync(at("b"))).toBe(false);
  expect(readFileSync(secret, "utf8")).toBe("the agent's");
});

test("what somebody puts in place of the file that is written first is not written to", async () => {
  // Whatever the number of this write is.
  for (let n = 1; n <= 1000; n++) symlinkSync(secret, at(`file.${process.pid}-${n}.partial`));
  await writeFileAtomically(at("file"), "new");
  expect(readFileSync(at("file"), "utf8")).toBe("new");
  expect(readFileSync(secret, "utf8")).toBe("the agent's");
});

test("nothing is done behind a link in place of a folder, at any depth", async () => {
  mkdirSync(at("deep"));
  symlinkSync(own, at("deep/link"));
  const message = "is reached through a symbolic link";
  for (const name of ["deep/link", "deep/link/below"]) {
    mkdirSync(join(own, "below"), { recursive: true });
    const file = at(`${name}/secret`);
    writeFileSync(file, "the agent's");
    await expect(readTextIfExists(file)).rejects.toThrow(message);
    await expect(writeFileAtomically(file, "new")).rejects.toThrow(message);
    await expect(removeFile(file)).rejects.toThrow(message);
    await expect(renameFile(file, `${file}.other`)).rejects.toThrow(message);
    expect(readFileSync(file, "utf8")).toBe("the agent's");
  }
});

test("a folder that is exchanged for a link in the middle of the work stays the same folder", async () => {
  mkdirSync(at("folder"));
  await withRealFolder(at("folder"), async (pinned) => {
    renameSync(at("folder"), at("moved"));
    symlinkSync(own, at("folder"));
    writeFileSync(join(pinned, "secret"), "of the folder");
    return Promise.resolve();
  });
  expect(readFileSync(at("moved/secret"), "utf8")).toBe("of the folder");
  expect(readFileSync(secret, "utf8")).toBe("the agent's");
});

test("errors name the path that was asked for; a missing file is none to delete or read", async () => {
  const read = async (file: string): Promise<string> => Promise.resolve(readlinkSync(file));
  await expect(atRealPath(at("missing"), read)).rejects.toThrow(`'${at("missing")}'`);
  await removeFile(at("missing"));
  await removeFile(at("no folder/missing"));
  expect(await readTextIfExists(at("no folder/missing"))).toBeUndefined();
});

test("links that lead out of a folder, or to nothing, are found at any depth", async () => {
  mkdirSync(at("a/b"), { recursive: true });
  symlinkSync(own, at("a/b/out"));
  symlinkSync(at("a"), at("in"));
  symlinkSync("nowhere", at("dangling"));
  symlinkSync(`${shared}/../own/secret`, at("a/up"));
  // It leads to a link that leads out.
  symlinkSync(at("a/b/out"), at("twice"));
  const found = await findForeignLinks(shared, [shared]);
  expect(found.map(({ name }) => name).sort()).toEqual(["a/b/out", "a/up", "dangling", "twice"]);
  expect(found.find(({ name }) => name === "dangling")?.target).toBe("nowhere");
  expect(await findForeignLinks(shared, [shared, own])).toHaveLength(1);
});
