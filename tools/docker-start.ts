import { spawn } from "node:child_process";
import { existsSync, openSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";
import { lastLines } from "./apt-packages";
import { RequirementError } from "./requirement";

const log = "/var/log/dockerd.log";
const timeoutSeconds = 60;

/** Starts the local Docker engine, with systemd if available, and waits until it responds. */
export async function startDockerEngine(): Promise<void> {
  let hasEnded = (): boolean => false;
  if (existsSync("/run/systemd/system")) {
    await execa("systemctl", ["enable", "--now", "docker"], { reject: false });
  } else {
    hasEnded = startDaemon();
  }
  for (let waited = 0; waited < timeoutSeconds * 1000; waited += 250) {
    if (await isResponding()) return;
    if (hasEnded()) break;
    await sleep(250);
  }
  throw new RequirementError(
    `the Docker engine does not start: ${reason()}`,
    existsSync("/run/systemd/system") ? "journalctl -u docker" : `read ${log}`,
  );
}

/** Starts `dockerd` as a daemon; it writes its process id to /var/run/docker.pid. Returns whether it has exited. */
function startDaemon(): () => boolean {
  const output = openSync(log, "a");
  const engine = spawn("dockerd", [], { detached: true, stdio: ["ignore", output, output] });
  let ended = false;
  engine.on("error", () => (ended = true));
  engine.on("exit", () => (ended = true));
  engine.unref();
  return () => ended;
}

async function isResponding(): Promise<boolean> {
  const { failed } = await execa("docker", ["version"], { reject: false, timeout: 10_000 });
  return !failed;
}

function reason(): string {
  if (existsSync("/run/systemd/system")) return "systemd could not start it";
  return existsSync(log) ? lastLines(readFileSync(log, "utf8"), 3) : "dockerd exited immediately";
}
