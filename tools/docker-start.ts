import { spawn } from "node:child_process";
import { existsSync, openSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";
import { lastLines } from "./packages";
import { RequirementError } from "./requirement";

const log = "/var/log/dockerd.log";
const patienceSeconds = 60;

/** Starts this machine's Docker engine, by systemd where it runs, and waits until it answers. */
export async function startDockerEngine(): Promise<void> {
  let hasEnded = (): boolean => false;
  if (existsSync("/run/systemd/system")) {
    await execa("systemctl", ["enable", "--now", "docker"], { reject: false });
  } else {
    hasEnded = startByHand();
  }
  for (let waited = 0; waited < patienceSeconds * 1000; waited += 250) {
    if (await answers()) return;
    if (hasEnded()) break;
    await sleep(250);
  }
  throw new RequirementError(
    `the Docker engine does not start: ${reason()}`,
    existsSync("/run/systemd/system") ? "journalctl -u docker" : `read ${log}`,
  );
}

/** It stays when we end. It writes its process id to /var/run/docker.pid itself. */
function startByHand(): () => boolean {
  const output = openSync(log, "a");
  const engine = spawn("dockerd", [], { detached: true, stdio: ["ignore", output, output] });
  let ended = false;
  engine.on("error", () => (ended = true));
  engine.on("exit", () => (ended = true));
  engine.unref();
  return () => ended;
}

async function answers(): Promise<boolean> {
  const { failed } = await execa("docker", ["version"], { reject: false, timeout: 10_000 });
  return !failed;
}

function reason(): string {
  if (existsSync("/run/systemd/system")) return "systemd could not start it";
  return existsSync(log) ? lastLines(readFileSync(log, "utf8"), 3) : "dockerd ended at once";
}
