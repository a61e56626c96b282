import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, test, vi } from "vitest";
import { dockerEngine } from "../../tools";
import type * as Folders from "../../tools/folders";
import { scratchFolder } from "../support/files/scratch-folder";

const machineHas = vi.hoisted(() => ({ engine: true }));
vi.mock("../../tools/folders", async (original) => {
  const folders = await original<typeof Folders>();
  const isExecutable = (path: string): boolean =>
    (machineHas.engine || !path.endsWith("/dockerd")) && folders.isExecutable(path);
  return { ...folders, isExecutable };
});

const silent = (): void => undefined;

afterEach(() => {
  machineHas.engine = true;
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

/** A machine of somebody who is not root, with this `docker` or none. */
async function machine(docker?: string): Promise<void> {
  const folder = await scratchFolder();
  if (docker !== undefined) {
    await writeFile(join(folder, "docker"), `#!/bin/sh\n${docker}\n`);
    await chmod(join(folder, "docker"), 0o755);
  }
  vi.stubEnv("PATH", folder);
  vi.stubEnv("DOCKER_HOST", undefined);
  vi.spyOn(process, "getuid").mockReturnValue(1000);
}

const cannotConnect =
  '[ "$1" = context ] && { echo default; exit; }; echo "Cannot connect to the Docker daemon" >&2; exit 1';

describe("the Docker engine", () => {
  test("is the one that runs", async () => {
    expect(await dockerEngine.check()).toMatchObject({ ok: true });
    expect(await dockerEngine.ensure(silent)).toMatch(/^\d+\.\d+, running$/);
  });

  test.each([
    [
      "is not installed",
      undefined,
      "the Docker engine is not installed: `docker` is not on PATH\n" +
        "  fix   sudo apt-get install docker.io   (or https://docs.docker.com/engine/install/)",
    ],
    [
      "may not be used",
      'echo "Got permission denied while trying to connect" >&2; exit 1',
      "permission denied for the Docker engine: this user is not in the group docker\n" +
        '  fix   sudo usermod -aG docker "$USER"   and log in again',
    ],
    [
      "does not run",
      cannotConnect,
      "the Docker engine is installed but not running\n" +
        "  fix   sudo systemctl enable --now docker   (without systemd: sudo dockerd)",
    ],
    [
      "is too old",
      "echo 19.03.13",
      "Docker engine 19.03 is too old; 20.10 or newer is required\n" +
        "  fix   https://docs.docker.com/engine/install/",
    ],
  ])("%s: says what to do", async (_, docker, message) => {
    await machine(docker);
    expect(await dockerEngine.check()).toMatchObject({ ok: false });
    await expect(dockerEngine.ensure(silent)).rejects.toMatchObject({ message });
  });

  test("is missing on a machine that has only its client", async () => {
    await machine(cannotConnect);
    machineHas.engine = false;
    await expect(dockerEngine.ensure(silent)).rejects.toMatchObject({
      message:
        "the Docker engine is not installed: `dockerd` is not on PATH\n" +
        "  fix   sudo apt-get install docker.io   (or https://docs.docker.com/engine/install/)",
    });
  });

  test("at DOCKER_HOST is never started by us", async () => {
    await machine(cannotConnect);
    vi.spyOn(process, "getuid").mockReturnValue(0);
    vi.stubEnv("DOCKER_HOST", "unix:///nowhere.sock");
    await expect(dockerEngine.ensure(silent)).rejects.toThrow(
      "no Docker engine answers at DOCKER_HOST=unix:///nowhere.sock: Cannot connect to the Docker daemon\n" +
        "  fix   start that engine, or unset DOCKER_HOST to use this machine's own",
    );
  });
});
