import { randomBytes } from "node:crypto";
import { readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { execa } from "execa";
import { expect, test } from "vitest";
import { baseImage, baseImageNamed } from "../../tools";
import { atMost, second } from "../support/time/limit.mjs";

test("the base image that is there is used as it is", async () => {
  const began = performance.now();
  expect(await baseImage.ensure(() => undefined)).toBe("debian:trixie-slim");
  expect(performance.now() - began).toBeLessThan(atMost(1 * second));
});

test("without a registry the base image is made by debootstrap", async () => {
  const name = `stagecraft-test:base-${randomBytes(4).toString("hex")}`;
  const image = baseImageNamed(name, () => Promise.resolve("no registry"));
  expect(await image.check()).toMatchObject({ ok: false, detail: `${name} is missing` });
  const steps: string[] = [];
  try {
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
  } finally {
    await execa("docker", ["image", "rm", name], { reject: false });
  }
  const left = (await readdir(tmpdir())).filter((each) =>
    each.startsWith("stagecraft-debootstrap"),
  );
  expect(left).toEqual([]);
});
