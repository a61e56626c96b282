import { randomBytes } from "node:crypto";
import { mkdir, readdir, symlink } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { execa } from "execa";
import { afterEach, expect, onTestFinished, test, vi } from "vitest";
import { baseImage, baseImageNamed } from "../../tools";
import { requireChecksum } from "../../tools/checksums";
import { importDebian, workFolder } from "../../tools/debootstrap";
import { versions } from "../../tools/versions";
import { scratchFolder } from "../support/files/scratch-folder";
import { atMost, second } from "../support/time/limit.mjs";

const silent = (): void => undefined;

afterEach(() => {
  vi.unstubAllEnvs();
});

/** A name that no image has; an image of this name is removed after the test. */
function freshName(): string {
  const name = `stagecraft-test:base-${randomBytes(4).toString("hex")}`;
  onTestFinished(async () => {
    await execa("docker", ["image", "rm", name], { reject: false });
  });
  return name;
}

test("the base image that is there is used as it is", async () => {
  const began = performance.now();
  expect(await baseImage.ensure(silent)).toBe(versions.baseImage);
  expect(performance.now() - began).toBeLessThan(atMost(1 * second));
});

test("the base image is pulled by its digest alone", async () => {
  const name = freshName();
  const asked: string[] = [];
  const pull = (reference: string): Promise<string> => {
    asked.push(reference);
    return Promise.resolve("no registry");
  };
  const build = (): Promise<void> => Promise.resolve();
  await baseImageNamed(name, { pull, build }).ensure(silent);
  expect(asked).toEqual([`debian@sha256:${requireChecksum(versions.officialBaseImage)}`]);
});

test("without a registry the base image is made by debootstrap", async () => {
  const name = freshName();
  const image = baseImageNamed(name, { pull: () => Promise.resolve("no registry") });
  expect(await image.check()).toMatchObject({ ok: false, detail: `${name} is missing` });
  const steps: string[] = [];
  expect(await image.ensure((text) => steps.push(text))).toBe(`${name}, built with debootstrap`);
  expect(await image.check()).toEqual({ ok: true, detail: name });
  const run = ["run", "--rm", name, "sh", "-c"];
  const { stdout } = await execa("docker", [
    ...run,
    ". /etc/os-release; echo $VERSION_CODENAME; grep ^Suites /etc/apt/sources.list.d/debian.sources",
  ]);
  expect(stdout.split("\n")).toEqual([
    "trixie",
    "Suites: trixie trixie-updates",
    "Suites: trixie-security",
  ]);
  expect(steps.some((text) => text.startsWith("debootstrap: "))).toBe(true);
  expect(await readdir(workFolder())).toEqual([]);
});

test("packages without Debian's signature are refused, and links that lie in the way are not followed", async () => {
  vi.stubEnv("XDG_CACHE_HOME", await scratchFolder());
  // A mirror that has a list of packages, but no signature of it.
  const mirror = createServer((request, response) => {
    const isRelease = request.url === "/debian/dists/trixie/Release";
    response.writeHead(isRelease ? 200 : 404).end("Suite: stable\nCodename: trixie\n");
  }).listen(0, "127.0.0.1");
  onTestFinished(() => {
    mirror.close();
  });
  await new Promise((resolve) => mirror.once("listening", resolve));
  const url = `http://127.0.0.1:${(mirror.address() as AddressInfo).port}/debian`;

  const elsewhere = await scratchFolder();
  await mkdir(join(elsewhere, "proc"));
  await mkdir(workFolder(), { recursive: true });
  // Of a process that has ended: its folder would be removed, and what is mounted in it unmounted.
  await symlink(elsewhere, join(workFolder(), "999999999-link"));

  const name = freshName();
  await expect(importDebian(name, silent, url)).rejects.toMatchObject({
    name: "RequirementError",
    what: expect.stringMatching(/^debootstrap of Debian trixie failed: [^]*signature/) as string,
  });
  expect(await baseImageNamed(name).check()).toMatchObject({ ok: false });
  expect(await readdir(workFolder())).toEqual(["999999999-link"]);
  expect(await readdir(elsewhere)).toEqual(["proc"]);
});
