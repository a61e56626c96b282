import { spawn } from "node:child_process";
import { mkdir, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { archiveFolder } from "../../../model/point-in-time/archive-repository";
import { lastRecoveredChange, recoveryFailure } from "../../../model/point-in-time/recovery-log";
import type { RecoveryTarget } from "../../../model/point-in-time/recovery-target";
import { quoteValue } from "../../../model/parameters/render";
import { environmentWithoutOptions } from "../archive/pgbackrest";
import { confine, type Confines } from "../../system/confine";
import { AgentError } from "../../system/errors";
import { streamOutput } from "../../postgres/client-programs";
import { logLine } from "../../system/progress";
import { readTextIfExists } from "../../system/atomic-file";
import { connectToInstance, instanceFiles } from "./instance";

const english = { ...environmentWithoutOptions(), LC_ALL: "C.UTF-8", LC_MESSAGES: "C" };

/**
 * The files that the recovery instance may use: its own, and the archive to read. Its data comes from PostgreSQL's
 * superuser, who could have left code in it that runs here: in functions that the agent calls, or by a tablespace.
 */
const confines: Confines = {
  reads: [`${archiveFolder}/`, instanceFiles.config, instanceFiles.hba],
  writes: [
    ...[instanceFiles.data, instanceFiles.tablespaces, instanceFiles.run, instanceFiles.logs],
    "/dev/shm",
  ],
};

/**
 * Parameters that isolate the recovery instance, whatever the original's parameters are: no network, no archiving, no
 * background work, no logical replication, no other program or library. They are arguments, so that no file overrides
 * them; parameter files in its data directory are not read.
 */
const isolationParameters = {
  config_file: instanceFiles.config,
  hba_file: instanceFiles.hba,
  ident_file: "/dev/null",
  unix_socket_directories: instanceFiles.run,
  unix_socket_permissions: "0700",
  listen_addresses: "",
  archive_mode: "off",
  archive_command: "",
  archive_library: "",
  archive_cleanup_command: "",
  recovery_end_command: "",
  max_worker_processes: "0",
  max_logical_replication_workers: "0",
  shared_preload_libraries: "",
  session_preload_libraries: "",
  local_preload_libraries: "",
  dynamic_library_path: "$libdir",
  jit: "off",
  jit_provider: "llvmjit",
  autovacuum: "off",
  event_triggers: "off",
  ssl: "off",
  ssl_passphrase_command: "",
  logging_collector: "off",
  log_destination: "stderr",
  allow_alter_system: "off",
};

/** Parameters that suffice for dumps within the memory of the agent's container. */
const sizeParameters = {
  shared_buffers: "64MB",
  max_wal_size: "512MB",
  max_parallel_workers: "0",
  max_locks_per_transaction: "256",
  // Without hot standby, the limits of the original (such as max_connections) need not be matched.
  hot_standby: "off",
  log_line_prefix: "%m ",
  log_timezone: "UTC",
  lc_messages: "C",
};

/** Writes the configuration for recovering and running the instance. */
export async function writeInstanceParameters(
  stanza: string,
  target: RecoveryTarget,
): Promise<void> {
  const parameters = {
    ...sizeParameters,
    // Must not be less than on the original, for its prepared transactions.
    max_prepared_transactions: (await readControlData("max_prepared_xacts setting")) ?? "0",
    data_directory: instanceFiles.data,
    cluster_name: "side",
    default_transaction_read_only: "on",
    restore_command: `pgbackrest --no-config --repo1-path=${archiveFolder} --stanza=${stanza} --pg1-path=${instanceFiles.data} --lock-path=${instanceFiles.run} --log-level-file=off --log-level-console=off --log-level-stderr=error archive-get %f "%p"`,
    recovery_target_action: "promote",
    ...targetParameters(target),
  };
  const lines = Object.entries(parameters).map(
    ([name, value]) => `${name} = ${quoteValue(value)}\n`,
  );
  await writeFile(instanceFiles.config, lines.join(""), { mode: 0o600 });
  // Only the agent's user reaches the socket.
  await writeFile(instanceFiles.hba, "local all postgres peer\nlocal all all trust\n", {
    mode: 0o600,
  });
  // What a base backup never contains: a process to stop, a standby that never ends its recovery, places of tablespaces.
  for (const name of ["postmaster.pid", "standby.signal", "tablespace_map", "recovery.signal"])
    await rm(path.join(instanceFiles.data, name), { force: true });
  await discardAlterSystem();
  await writeFile(path.join(instanceFiles.data, "recovery.signal"), "", { flag: "wx" });
}

/** Discards the original's ALTER SYSTEM settings and the lines of pgBackRest: the agent's file has everything. */
async function discardAlterSystem(): Promise<void> {
  const file = path.join(instanceFiles.data, "postgresql.auto.conf");
  await rm(file, { recursive: true, force: true });
  await writeFile(file, "", { mode: 0o600, flag: "wx" });
}

function targetParameters(target: RecoveryTarget): Record<string, string> {
  switch (target.kind) {
    case "time":
      return {
        recovery_target_time: target.at.toISOString().replace("T", " ").replace("Z", "+00"),
      };
    case "immediate":
      return { recovery_target: "immediate" };
    case "latest":
      return {};
  }
}

/** The system identifier of the recovery instance. */
export async function instanceSystemIdentifier(): Promise<string> {
  return (await readControlData("Database system identifier")) ?? "";
}

/**
 * Starts the recovery instance and waits until recovery ends. Returns the time of the last recovered change; throws an
 * {@link AgentError} when recovery fails.
 */
export async function startInstance(signal: AbortSignal): Promise<Date | undefined> {
  const args = ["start", "--silent", "-w", "-t", "604800", "-D", instanceFiles.data];
  const options = Object.entries(isolationParameters)
    // pg_ctl runs a shell; no value has an apostrophe.
    .map(([name, value]) => `-c '${name}=${value}'`)
    .join(" ");
  await discardAlterSystem();
  for (const folder of [instanceFiles.logs, instanceFiles.tablespaces])
    await mkdir(folder, { recursive: true, mode: 0o700 });
  const starting = pgCtl(...args, "-l", instanceFiles.log, "-o", options);
  const watching = new AbortController();
  const reporting = reportReplayProgress(AbortSignal.any([signal, watching.signal]));
  const stop = (): void => void stopInstance();
  signal.addEventListener("abort", stop);
  try {
    const status = await starting;
    // pg_ctl reports it as started when recovery begins.
    const isRunning = status === 0 && (await untilRecovered());
    const log = (await readTextIfExists(instanceFiles.log)) ?? "";
    if (!isRunning) throw new AgentError(recoveryFailure(log));
    return lastRecoveredChange(log);
  } finally {
    signal.removeEventListener("abort", stop);
    watching.abort();
    await reporting;
  }
}

/** Waits until the instance accepts connections or has stopped; returns whether it is running. */
async function untilRecovered(): Promise<boolean> {
  for (;;) {
    try {
      await (await connectToInstance("postgres")).end();
      return true;
    } catch (error) {
      const { code } = (error as Error).cause as { readonly code?: string };
      const isStarting = ["57P03", "ENOENT", "ECONNREFUSED"].includes(code ?? "");
      if (!isStarting) throw error;
      if ((await readTextIfExists(path.join(instanceFiles.data, "postmaster.pid"))) === undefined)
        return false;
    }
    await sleep(100);
  }
}

/** Starts the instance if it is not running, e.g. after a restart of the agent. */
export async function ensureInstanceRuns(): Promise<void> {
  if ((await pgCtl("status", "-D", instanceFiles.data)) === 0) return;
  await startInstance(new AbortController().signal);
}

/** Stops the instance immediately. */
export async function stopInstance(): Promise<void> {
  await pgCtl("stop", "--silent", "-m", "immediate", "-w", "-D", instanceFiles.data);
}

/** Logs every two seconds which WAL segment has been replayed. */
async function reportReplayProgress(signal: AbortSignal): Promise<void> {
  let last = "";
  while (!signal.aborted) {
    await sleep(2000, undefined, { signal }).catch(() => undefined);
    const log = (await readTextIfExists(instanceFiles.log).catch(() => undefined)) ?? "";
    const at = log.match(/restored log file "([0-9A-F]{24})"/g)?.at(-1) ?? "";
    if (at !== last) logLine(`recover … ${at.slice(-25, -1)}`);
    last = at;
  }
}

/** Runs pg_ctl; returns its exit status. Its output is discarded: PostgreSQL would inherit a pipe and keep it open. */
async function pgCtl(...args: readonly string[]): Promise<number> {
  const [program, ...words] = confine(confines, ["pg_ctl", ...args]);
  const child = spawn(program, words, { env: english, stdio: "ignore" });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => {
      resolve(code ?? 255);
    });
  });
}

/** A value from `pg_controldata`; `undefined` if there is no such line. */
async function readControlData(name: string): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  const reads = { reads: [`${instanceFiles.data}/`], writes: [] };
  const [program, ...args] = confine(reads, ["pg_controldata", "-D", instanceFiles.data]);
  for await (const chunk of streamOutput(program, args, english)) chunks.push(chunk);
  const lines = Buffer.concat(chunks).toString("utf8").split("\n");
  return lines
    .find((line) => line.startsWith(`${name}:`))
    ?.slice(name.length + 1)
    .trim();
}
