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

/** How long a trial server may take to start on a busy machine. */
const timeoutMs = 60_000;

/**
 * Parameters that isolate a trial server whatever its files contain: it is not reachable, does not archive, and writes
 * nothing where the real server does. Its log goes to stderr.
 */
const isolation = {
  listen_addresses: "",
  hba_file: "", // Set for each trial server.
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
 * Starts PostgreSQL on a scratch cluster with the configuration files of the real server, one of them replaced by a
 * candidate, and connects to it. The real server is not involved. Takes about 0.2 s, plus 1 s the first time.
 *
 * @param file The file to replace: `stagecraft.conf` or `stagecraft-tls.conf`.
 * @returns PostgreSQL's error; `undefined` when it starts.
 */
export async function tryConfigFile(file: string, candidate: string): Promise<string | undefined> {
  const folder = await mkdtemp(path.join(tmpdir(), "trial-"));
  // Next to the real files, because paths in a file are relative to it.
  const name = `${path.basename(file)}.candidate`;
  const config = path.join(dataFolder, `${name}.root`);
  try {
    const root = (await readTextIfExists(configFiles.postgresql)) ?? "";
    const changed = root.replace(`'${path.basename(file)}'`, `'${name}'`);
    if (changed === root) {
      throw new AgentError(
        `PostgreSQL does not include ${path.basename(file)}: ${configFiles.postgresql} has no line for it; restart its container, which adds the line`,
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
  const outcome = await connectWhileRunning(server, folder);
  server.kill("SIGINT");
  await ended;
  if (outcome === "runs") return parameterWarnings(await log);
  return outcome === "ended" ? startupErrors(await log) || exitText(server) : outcome.problem;
}

type StartResult = "runs" | "ended" | { readonly problem: string };

/** Connects as soon as the server accepts connections. */
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
      const isStarting = ["ENOENT", "ECONNREFUSED", "57P03"].includes(code);
      if (!isStarting || Date.now() > deadline) return { problem: messageOf(error) };
    } finally {
      await client.end().catch(() => undefined);
    }
    await sleep(10);
  }
}

function exitText({ exitCode, signalCode }: ChildProcess): string {
  return signalCode === null
    ? `it ended with status ${exitCode ?? "unknown"}`
    : `it was ended by ${signalCode}, possibly because memory ran out`;
}
