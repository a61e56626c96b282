import { spawn, type ChildProcess } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "pg";
import { parameterWarnings, startupErrors } from "../../../model/parameters/startup-errors";
import { AgentError, messageOf } from "../../system/errors";
import { withScratchCluster } from "../../postgres/scratch-cluster";
import { dataFolder, configFiles } from "./config-files";
import { readTextIfExists } from "../../system/atomic-file";

/** How long a trial may take to answer on a busy machine. */
const timeoutMs = 60_000;

/**
 * What a server of its own must not do, whatever it is asked to: be reached by others, archive, write where the real
 * one does. What it says is to be read here.
 */
const isolation = {
  listen_addresses: "",
  hba_file: "", // Set for each trial.
  ident_file: "/dev/null",
  external_pid_file: "",
  archive_command: "",
  archive_library: "",
  fsync: "off",
  logging_collector: "off",
  log_destination: "stderr",
  log_line_prefix: "",
  log_min_messages: "warning",
  max_locks_per_transaction: "256",
  password_encryption: "scram-sha-256",
};

/**
 * Starts PostgreSQL on a scratch cluster with the files of the real server, but one of them with another text, and
 * connects to it. The real server is not involved. Takes about 0.2 s, and 1 s more the first time.
 *
 * @param file The file that the text would replace: `stagecraft.conf` or `stagecraft-tls.conf`.
 * @returns What PostgreSQL has against it, in its own words; `undefined` when it runs.
 */
export async function tryConfigFile(file: string, candidate: string): Promise<string | undefined> {
  const folder = await mkdtemp(path.join(tmpdir(), "trial-"));
  // Beside the real ones, because relative paths in a file are from where it lies.
  const name = `${path.basename(file)}.candidate`;
  const config = path.join(dataFolder, `${name}.root`);
  try {
    const root = (await readTextIfExists(configFiles.postgresql)) ?? "";
    const changed = root.replace(`'${path.basename(file)}'`, `'${name}'`);
    if (changed === root) {
      throw new AgentError(
        `PostgreSQL does not read ${path.basename(file)} yet: ${configFiles.postgresql} has no line for it; restart its container, which adds the line`,
      );
    }
    await writeFile(config, changed, { mode: 0o600 });
    await writeFile(path.join(dataFolder, name), candidate, { mode: 0o600 });
    await writeFile(path.join(folder, "hba"), "local all postgres peer\n");
    return await withScratchCluster((cluster) => run(cluster, config, folder));
  } finally {
    await rm(config, { force: true });
    await rm(path.join(dataFolder, name), { force: true });
    await rm(folder, { recursive: true, force: true });
  }
}

async function run(cluster: string, config: string, folder: string): Promise<string | undefined> {
  const settings = {
    ...isolation,
    hba_file: path.join(folder, "hba"),
    unix_socket_directories: folder,
    data_directory: cluster,
    config_file: config,
  };
  const args = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  const server = spawn("postgres", ["-D", cluster, ...args], {
    env: { ...process.env, LC_ALL: "C.UTF-8", LC_MESSAGES: "C" },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const ended = new Promise<void>((resolve, reject) => {
    server.on("error", reject);
    server.on("close", () => {
      resolve();
    });
  });
  const log = text(server.stderr);
  const answer = await connectWhileRunning(server, folder);
  server.kill("SIGINT");
  await ended;
  if (answer === "runs") return parameterWarnings(await log);
  return answer === "ended" ? startupErrors(await log) || exitText(server) : answer.refusal;
}

type StartResult = "runs" | "ended" | { readonly refusal: string };

/** Connects as soon as it can. */
async function connectWhileRunning(server: ChildProcess, folder: string): Promise<StartResult> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const client = new Client({ host: folder, user: "postgres", database: "postgres" });
    client.on("error", () => undefined);
    try {
      await client.connect();
      await client.query("SELECT");
      return "runs";
    } catch (error) {
      if (server.exitCode !== null || server.signalCode !== null) return "ended";
      const code = (error as { readonly code?: string }).code ?? "";
      const isYetToCome = ["ENOENT", "ECONNREFUSED", "57P03"].includes(code);
      if (!isYetToCome || Date.now() > deadline) return { refusal: messageOf(error) };
    } finally {
      await client.end().catch(() => undefined);
    }
    await sleep(10);
  }
}

function exitText({ exitCode, signalCode }: ChildProcess): string {
  return signalCode === null
    ? `it ended with status ${exitCode ?? "unknown"}`
    : `it was ended by ${signalCode}, as happens when memory runs out`;
}
