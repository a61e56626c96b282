import { execa } from "execa";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { randomBytes } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { engineNames } from "../../model/base/engine-names";
import { checkout } from "../support/files/checkout";
import { docker, label } from "../support/servers/server";

const prefix = `sct-down-${randomBytes(4).toString("hex")}`;
const volume = engineNames(prefix, "prod").dataVolume;
const folder = mkdtempSync(join(tmpdir(), `${prefix}-`));

beforeAll(async () => {
  mkdirSync(join(folder, "stacks"));
  writeFileSync(join(folder, "Pulumi.yaml"), "name: stagecraft\nruntime: nodejs\n");
  const names = `config:\n  stagecraft:namePrefix: ${prefix}\n  stagecraft:database:\n    name: timesheets\n`;
  writeFileSync(join(folder, "Pulumi.prod.yaml"), names);
  await docker("volume", "create", "--label", `${label}=${prefix}`, volume);
});

afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await docker("volume", "rm", "--force", volume);
});

describe("production's data is not deleted", () => {
  test.each([
    [
      ["--yes"],
      "error: production needs --confirm in addition to --yes; nothing has been changed\n  fix  npx stagecraft down prod --yes --confirm prod\n",
    ],
    [
      ["--yes", "--confirm", "staging"],
      `error: --confirm must be the stack's name prod, got "staging"\n`,
    ],
    [
      [],
      "error: there is no terminal to confirm on; nothing has been changed\n  fix  npx stagecraft down prod --yes --confirm prod --data\n",
    ],
    [
      ["--confirm", "prod"],
      "error: there is no terminal to confirm on; nothing has been changed\n  fix  npx stagecraft down prod --yes --confirm prod --data\n",
    ],
  ])("by down prod --data with %j", async (options, text) => {
    const command = [join(checkout, "bin/stagecraft.js"), "down", "prod", "--data", ...options];
    const { exitCode, stdout, stderr } = await execa(process.execPath, command, {
      ...{ cwd: folder, reject: false, stripFinalNewline: false },
    });
    expect(stderr).toBe(text);
    expect(exitCode).toBe(2);
    // It had seen what it would delete.
    expect(stdout).toContain(`IS DELETED PERMANENTLY: volumes ${volume}`);
    expect(await docker("volume", "ls", "--quiet", "--filter", `name=${volume}`)).toBe(volume);
  });
});
