import { randomBytes } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { versions } from "../../tools/versions";
import { TestStack } from "../support/stacks/test-stack";

const name = `stagecraft-test-${randomBytes(4).toString("hex")}`;

const program = (label: string): string => `
const network = new docker.Network("network", { name: "${name}" });
const volume = new docker.Volume("volume", { name: "${name}" });
const image = new docker.RemoteImage("image", {
  name: "${name}:built",
  build: { context: __dirname + "/context", pullParent: false },
  forceRemove: true,
});
const container = new docker.Container("container", {
  image: image.imageId,
  command: ["sleep", "7200"],
  init: true,
  labels: [{ label: "test", value: "${label}" }],
  networksAdvanced: [{ name: network.name, aliases: ["db"] }],
  volumes: [{ volumeName: volume.name, containerPath: "/data" }],
  destroyGraceSeconds: 1,
  envs: [pulumi.secret("PASSWORD=of-ada")],
});
module.exports = { container: container.name, image: image.imageId };
`;

describe("the docker plugin", () => {
  let stack: TestStack;

  beforeAll(async () => {
    stack = await TestStack.create(program("first"));
    await mkdir(join(stack.folder, "context"));
    await writeFile(
      join(stack.folder, "context", "Dockerfile"),
      `FROM ${versions.baseImage}\nRUN echo built > /built\nCMD ["bash"]\n`,
    );
  });
  afterAll(async () => {
    await stack.remove();
    await execa("docker", ["rm", "--force", ...(await listed("ps", "--all"))], { reject: false });
    for (const kind of ["network", "volume", "image"]) {
      await execa("docker", [kind, "rm", kind === "image" ? `${name}:built` : name], {
        reject: false,
      });
    }
  });

  test("makes a network, a volume, an image and a container that uses them", async () => {
    const update = await stack.up();
    expect(update.errors).toBe("");
    const { container = "" } = await stack.outputs();
    expect(container).toMatch(/^container-[0-9a-f]{7}$/); // Names are made up as the official plugin does.
    expect(await inContainer(container, "cat", "/built")).toBe("built");
    const { stdout } = await execa("docker", ["inspect", container]);
    expect(JSON.parse(stdout)).toMatchObject([
      {
        Config: { Labels: { test: "first" } },
        HostConfig: { Init: true },
        Mounts: [{ Type: "volume", Name: name, Destination: "/data" }],
        NetworkSettings: {
          Networks: { [name]: { Aliases: expect.arrayContaining(["db"]) as unknown } },
        },
      },
    ]);
    expect(await stack.pulumi("stack", "export")).not.toContain("of-ada");
  });

  test("changes nothing the second time, not even after looking", async () => {
    const update = await stack.up("--refresh", "--expect-no-changes");
    expect([update.exitCode, update.errors]).toEqual([0, ""]);
  });

  test("replaces a container whose labels change, the old one first", async () => {
    await stack.write(program("second"));
    const { operations } = await stack.up();
    expect(operations).toEqual({ container: ["delete-replaced", "replace", "create-replacement"] });
  });

  test("sees that somebody has removed a container, and makes it again", async () => {
    await execa("docker", ["rm", "--force", ...(await listed("ps", "--all"))]);
    const { operations } = await stack.up("--refresh");
    expect(operations["container"]).toContain("create");
    expect(await listed("ps")).toHaveLength(1);
  });

  test("takes everything away again", async () => {
    await stack.pulumi("destroy", "--yes", "--skip-preview");
    expect(await listed("ps", "--all")).toEqual([]);
    for (const kind of ["network", "volume"]) {
      expect((await execa("docker", [kind, "inspect", name], { reject: false })).failed).toBe(true);
    }
  });
});

async function listed(...args: string[]): Promise<string[]> {
  const { stdout } = await execa("docker", [...args, "--quiet", "--filter", `volume=${name}`]);
  return stdout.split("\n").filter((id) => id !== "");
}

async function inContainer(container: string, ...command: string[]): Promise<string> {
  return (await execa("docker", ["exec", container, ...command])).stdout;
}
