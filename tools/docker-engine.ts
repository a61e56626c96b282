import { join } from "node:path";
import { execa } from "execa";
import { findOnPath, isExecutable } from "./folders";
import { canInstallPackages, installPackages } from "./packages";
import { type Finding, type Progress, type Requirement, RequirementError } from "./requirement";
import { startDockerEngine } from "./docker-start";
import { isAtLeast, versions } from "./versions";

/** A Docker engine that answers: the one that DOCKER_HOST or the Docker context names, else the machine's own. */
export const dockerEngine: Requirement = {
  name: "Docker engine",

  async check(): Promise<Finding> {
    const state = await look();
    if (state.is === "running" && isAtLeast(state.version, versions.oldestDockerEngine)) {
      return { ok: true, detail: `${short(state.version)}, running` };
    }
    return { ok: false, ...(await advise(state)) };
  },

  async ensure(progress: Progress): Promise<string> {
    let state = await look();
    if (state.is === "missing" && canInstallPackages()) {
      // From Debian 13 on the command is a package of its own.
      await installPackages(
        { needed: ["docker.io", "iptables", "ca-certificates"], optional: ["docker-cli"] },
        progress,
      );
      state = await look();
    }
    if (state.is === "stopped" && process.getuid?.() === 0 && (await isOwnEngine())) {
      progress("starting");
      await startDockerEngine();
      state = await look();
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
  | { readonly is: "refused" }
  | { readonly is: "stopped"; readonly text: string };

async function look(): Promise<State> {
  if (findOnPath("docker") === undefined) return { is: "missing", program: "docker" };
  const args = ["version", "--format", "{{.Server.Version}}"];
  const { failed, stdout, stderr } = await execa("docker", args, {
    reject: false,
    stdin: "ignore",
    timeout: 20_000,
  });
  if (!failed && stdout !== "") return { is: "running", version: stdout };
  if (/permission denied/i.test(stderr)) return { is: "refused" };
  // A machine may have the client alone.
  if (!hasEngine() && (await isOwnEngine())) {
    return { is: "missing", program: "dockerd" };
  }
  return { is: "stopped", text: stderr.trim().split("\n").at(-1) ?? "" };
}

/** Also where only root has it on PATH. */
function hasEngine(): boolean {
  const inSystem = ["/usr/sbin", "/usr/local/sbin"].map((folder) => join(folder, "dockerd"));
  return findOnPath("dockerd") !== undefined || inSystem.some(isExecutable);
}

async function advise(state: State): Promise<{ detail: string; fix: string }> {
  switch (state.is) {
    case "running":
      return {
        detail: `Docker engine ${short(state.version)} is too old: ${short(versions.oldestDockerEngine)} or newer is needed`,
        fix: "https://docs.docker.com/engine/install/",
      };
    case "missing":
      return {
        detail: `the Docker engine is not installed: there is no \`${state.program}\` on PATH`,
        fix: "sudo apt-get install docker.io   (or https://docs.docker.com/engine/install/)",
      };
    case "refused":
      return {
        detail: "this user may not use the Docker engine: it is not in the group docker",
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
          detail: `no Docker engine answers in the Docker context: ${state.text}`,
          fix: "start that engine, or go back to this machine's own: docker context use default",
        };
      }
      return {
        detail: "the Docker engine is installed but does not run",
        fix: "sudo systemctl enable --now docker   (without systemd: sudo dockerd)",
      };
    }
  }
}

/** Whether Docker's commands go to this machine's own engine, which we may start. */
async function isOwnEngine(): Promise<boolean> {
  if ((process.env["DOCKER_HOST"] ?? "") !== "") return false;
  const { failed, stdout } = await execa("docker", ["context", "show"], { reject: false });
  return failed || stdout.trim() === "default"; // Docker 20.10 knows no "context show".
}

/** 26.1.5+dfsg1 is 26.1 to a person. */
function short(version: string): string {
  return /^\d+\.\d+/.exec(version)?.[0] ?? version;
}
