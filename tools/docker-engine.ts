import { join } from "node:path";
import { execa } from "execa";
import { findOnPath, isExecutable } from "./folders";
import { canInstallPackages, installPackages } from "./apt-packages";
import {
  type CheckResult,
  type ProgressCallback,
  type Requirement,
  RequirementError,
} from "./requirement";
import { startDockerEngine } from "./docker-start";
import { isAtLeast, versions } from "./versions";

/** A running Docker engine: that of DOCKER_HOST or the Docker context, else the local one. */
export const dockerEngine: Requirement = {
  name: "Docker engine",

  async check(): Promise<CheckResult> {
    const state = await inspectEngine();
    if (state.is === "running" && isAtLeast(state.version, versions.oldestDockerEngine)) {
      return { ok: true, detail: `${short(state.version)}, running` };
    }
    return { ok: false, ...(await advise(state)) };
  },

  async ensure(progress: ProgressCallback): Promise<string> {
    let state = await inspectEngine();
    if (state.is === "missing" && canInstallPackages()) {
      // Since Debian 13 the command is a separate package.
      await installPackages(
        { needed: ["docker.io", "iptables", "ca-certificates"], optional: ["docker-cli"] },
        progress,
      );
      state = await inspectEngine();
    }
    if (state.is === "stopped" && process.getuid?.() === 0 && (await isOwnEngine())) {
      progress("starting");
      await startDockerEngine();
      state = await inspectEngine();
    }
    if (state.is === "running" && isAtLeast(state.version, versions.oldestDockerEngine)) {
      return `${short(state.version)}, running`;
    }
    const { detail, fix } = await advise(state);
    throw new RequirementError(detail, fix);
  },
};

type State =
  | { readonly is: "running"; readonly version: string }
  | { readonly is: "missing"; readonly program: "docker" | "dockerd" }
  | { readonly is: "forbidden" }
  | { readonly is: "stopped"; readonly text: string };

async function inspectEngine(): Promise<State> {
  if (findOnPath("docker") === undefined) return { is: "missing", program: "docker" };
  const args = ["version", "--format", "{{.Server.Version}}"];
  const { failed, stdout, stderr } = await execa("docker", args, {
    reject: false,
    stdin: "ignore",
    timeout: 20_000,
  });
  if (!failed && stdout !== "") return { is: "running", version: stdout };
  if (/permission denied/i.test(stderr)) return { is: "forbidden" };
  // A machine may have only the client.
  if (!hasEngine() && (await isOwnEngine())) {
    return { is: "missing", program: "dockerd" };
  }
  return { is: "stopped", text: stderr.trim().split("\n").at(-1) ?? "" };
}

/** Whether `dockerd` is installed, also in folders that only root has on PATH. */
function hasEngine(): boolean {
  const inSystem = ["/usr/sbin", "/usr/local/sbin"].map((folder) => join(folder, "dockerd"));
  return findOnPath("dockerd") !== undefined || inSystem.some(isExecutable);
}

async function advise(state: State): Promise<{ detail: string; fix: string }> {
  switch (state.is) {
    case "running":
      return {
        detail: `Docker engine ${short(state.version)} is too old; ${short(versions.oldestDockerEngine)} or newer is required`,
        fix: "https://docs.docker.com/engine/install/",
      };
    case "missing":
      return {
        detail: `the Docker engine is not installed: \`${state.program}\` is not on PATH`,
        fix: "sudo apt-get install docker.io   (or https://docs.docker.com/engine/install/)",
      };
    case "forbidden":
      return {
        detail: "permission denied for the Docker engine: this user is not in the group docker",
        fix: 'sudo usermod -aG docker "$USER"   and log in again',
      };
    case "stopped": {
      const host = process.env["DOCKER_HOST"] ?? "";
      if (host !== "") {
        return {
          detail: `no Docker engine answers at DOCKER_HOST=${host}: ${state.text}`,
          fix: "start that engine, or unset DOCKER_HOST to use this machine's own",
        };
      }
      if (!(await isOwnEngine())) {
        return {
          detail: `no Docker engine answers in the current Docker context: ${state.text}`,
          fix: "start that engine, or switch to this machine's own: docker context use default",
        };
      }
      return {
        detail: "the Docker engine is installed but not running",
        fix: "sudo systemctl enable --now docker   (without systemd: sudo dockerd)",
      };
    }
  }
}

/** Whether Docker commands use the local engine, which we may start. */
async function isOwnEngine(): Promise<boolean> {
  if ((process.env["DOCKER_HOST"] ?? "") !== "") return false;
  const { failed, stdout } = await execa("docker", ["context", "show"], { reject: false });
  return failed || stdout.trim() === "default"; // Docker 20.10 lacks "context show".
}

/** Major and minor version: 26.1 of 26.1.5+dfsg1. */
function short(version: string): string {
  return /^\d+\.\d+/.exec(version)?.[0] ?? version;
}
