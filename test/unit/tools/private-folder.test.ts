import { chmodSync, chownSync, mkdirSync, statSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { ensurePrivateFolder } from "../../../tools/private-folder";
import { scratchFolder } from "../../support/files/scratch-folder";

describe("a folder from which programs are executed", () => {
  test("is created for this user only", async () => {
    const folder = join(await scratchFolder(), "cache", "stagecraft");
    expect(ensurePrivateFolder(folder)).toBe(folder);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    expect(ensurePrivateFolder(folder)).toBe(folder);
  });

  test("may be read by others, and may be behind a link", async () => {
    const folder = await scratchFolder();
    chmodSync(folder, 0o775);
    symlinkSync(folder, join(folder, "link"));
    expect(ensurePrivateFolder(join(folder, "link"))).toBe(join(folder, "link"));
  });

  test("is refused when every user can write to it", async () => {
    const folder = await scratchFolder();
    chmodSync(folder, 0o1777);
    expect(() => ensurePrivateFolder(folder)).toThrow(
      `${folder} can be written by every user, who could replace the programs in it\n` +
        `  fix   remove it, or make it yours: chown "$USER" ${folder} && chmod 700 ${folder}`,
    );
  });

  test.runIf(process.getuid?.() === 0)("is refused when another user owns it", async () => {
    const home = await scratchFolder();
    const folder = join(home, "stagecraft");
    mkdirSync(folder);
    chownSync(folder, 1234, 1234);
    expect(() => ensurePrivateFolder(folder, home)).toThrow(
      `${folder} belongs to another user (uid 1234), who could replace the programs in it`,
    );
    // Root in a container, in the home folder of the user outside of it.
    chownSync(home, 1234, 1234);
    expect(ensurePrivateFolder(folder, home)).toBe(folder);
  });
});
