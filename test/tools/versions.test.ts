import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { packageFolder, toolsFolder } from "../../tools/folders";
import { isAtLeast, versions } from "../../tools/versions";

test.each([
  ["20.10.24+dfsg1", "20.10.0", true],
  ["3.9.1", "3.256.0", false],
  ["v22.13", "22.13.0", true],
  ["1.26-rc1", "1.21.0", true],
  ["", "1.0.0", false],
])("%j against %j: %s", (version, minimum, answer) => {
  expect(isAtLeast(version, minimum)).toBe(answer);
});

test("the plugins are of the same versions as the npm packages", () => {
  const manifest = readFileSync(join(packageFolder(), "package.json"), "utf8");
  const { dependencies } = JSON.parse(manifest) as { dependencies: Record<string, string> };
  expect(dependencies["@pulumi/docker"]).toBe(versions.dockerPlugin);
  expect(dependencies["@pulumi/command"]).toBe(versions.commandPlugin);
});

test("the Go modules are of the versions that are promised", () => {
  const module = (name: string): string =>
    readFileSync(join(toolsFolder(`toolchain/${name}`), "go.mod"), "utf8");
  expect(module("pulumi-cli")).toContain(`pulumi/pulumi/pkg/v3 v${versions.pulumi}\n`);
  expect(module("docker-plugin")).toContain(`\ngo ${versions.go}\n`);
});

test("the server image is built from the base image that set-up prepares, of the same day", () => {
  const dockerfile = readFileSync(join(packageFolder(), "images", "Dockerfile"), "utf8");
  expect(dockerfile).toContain(`\nARG BASE=${versions.baseImage}\nFROM \${BASE}\n`);
  const day = (image: string): string | undefined => /:(\w+-\d{8})/.exec(image)?.[1];
  expect(day(versions.baseImage)).toBe(day(versions.officialBaseImage));
});

test("Node in the server image is the one that machines with an older one get", () => {
  const bootstrap = readFileSync(toolsFolder("bootstrap.sh"), "utf8");
  expect(bootstrap).toContain(`\nnode_version=${versions.node}\n`);
});
