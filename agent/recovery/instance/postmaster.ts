import { spawn } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { archiveFiles } from "../../../model/point-in-time/repository";
import { lastRecoveredChange, recoveryFailure } from "../../../model/point-in-time/recovery-log";
import type { RecoveryTarget } from "../../../model/point-in-time/target";
import { quoteValue } from "../../../model/parameters/render";
import { AgentError } from "../../system/errors";
import { streamOutput } from "../../postgres/client-programs";
import { logLine } from "../../system/progress";
import { readTextIfExists } from "../../system/atomic-file";
import { connectToSide, sideFiles } from "./instance";

const english = { ...process.env, LC_ALL: "C.UTF-8", LC_MESSAGES: "C" };

/**
 * What a side cluster must never do, whatever the settings it was copied with say: be reached by others, archive, do
 * work of its own, follow a publisher. Its settings come from here alone; those in its folder are not read.
 */
const harmless = {
  listen_addresses: "",
  archive_mode: "off",
  archive_command: "",
  archive_library: "",
  max_logical_replication_workers: "0",
  shared_preload_libraries: "",
  session_preload_libraries: "",
  autovacuum: "off",
  event_triggers: "off",
  ssl: "off",
};

/** Enough for a dump in the memory of the agent's container. */
const small = {
  shared_buffers: "64MB",
  max_wal_size: "512MB",
  max_parallel_workers: "0",
  jit: "off",
  max_locks_per_transaction: "256",
  // No standby is read from while it recovers, so what the origin allowed need not be allowed here.
  hot_standby: "off",
  log_destination: "stderr",
  logging_collector: "off",
  log_line_prefix: "%m ",
  log_timezone: "UTC",
  lc_messages: "C",
};

/** Writes the settings it is recovered and run with. */
export async function writeSideSettings(stanza: string, target: RecoveryTarget): Promise<void> {
  const settings = {
    ...harmless,
    ...small,
    // Prepared transactions of the origin need as much room here.
    max_prepared_transactions: (await controlled("max_prepared_xacts setting")) ?? "0",
    data_directory: sideFiles.data,
    hba_file: sideFiles.hba,
    ident_file: "/dev/null",
    external_pid_file: "",
    unix_socket_directories: sideFiles.run,
    unix_socket_permissions: "0700",
    cluster_name: "side",
    default_transaction_read_only: "on",
    restore_command: `pgbackrest --config=${archiveFiles.config} --stanza=${stanza} --pg1-path=${sideFiles.data} --log-level-stderr=error archive-get %f "%p"`,
    recovery_target_action: "promote",
    ...targetSettings(target),
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name} = ${quoteValue(value)}\n`);
  await writeFile(sideFiles.config, lines.join(""), { mode: 0o600 });
  await writeFile(sideFiles.hba, "local all postgres peer\n", { mode: 0o600 });
  // What ALTER SYSTEM had set on the origin, and pgBackRest's own lines: all that is needed is in the file above.
  await writeFile(path.join(sideFiles.data, "postgresql.auto.conf"), "");
  await writeFile(path.join(sideFiles.data, "recovery.signal"), "");
}

function targetSettings(target: RecoveryTarget): Record<string, string> {
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

/** The system identifier of the cluster in its folder. */
export async function sideSystemIdentifier(): Promise<string> {
  return (await controlled("Database system identifier")) ?? "";
}

/** Starts it, and waits until it has been recovered; when the last change that is in it was made. */
export async function startSide(signal: AbortSignal): Promise<Date | undefined> {
  const args = ["start", "--silent", "-w", "-t", "604800", "-D", sideFiles.data];
  const options = `-c config_file=${sideFiles.config}`;
  const starting = pgCtl(...args, "-l", sideFiles.log, "-o", options);
  const watching = new AbortController();
  const told = tellProgress(AbortSignal.any([signal, watching.signal]));
  const stop = (): void => void stopSide();
  signal.addEventListener("abort", stop);
  try {
    const status = await starting;
    // It is told of as started when it begins to recover.
    const runs = status === 0 && (await untilRecovered());
    const log = (await readTextIfExists(sideFiles.log)) ?? "";
    if (!runs) throw new AgentError(recoveryFailure(log));
    return lastRecoveredChange(log);
  } finally {
    signal.removeEventListener("abort", stop);
    watching.abort();
    await told;
  }
}

/** Waits until it lets somebody in, or has ended; whether it runs. */
async function untilRecovered(): Promise<boolean> {
  for (;;) {
    try {
      await (await connectToSide("postgres")).end();
      return true;
    } catch (error) {
      const { code } = (error as Error).cause as { readonly code?: string };
      const isYetToCome = ["57P03", "ENOENT", "ECONNREFUSED"].includes(code ?? "");
      if (!isYetToCome) throw error;
      if ((await readTextIfExists(path.join(sideFiles.data, "postmaster.pid"))) === undefined)
        return false;
    }
    await sleep(100);
  }
}

/** Starts it again where it is not running, as after a restart of the agent. */
export async function ensureSideRuns(): Promise<void> {
  if ((await pgCtl("status", "-D", sideFiles.data)) === 0) return;
  await startSide(new AbortController().signal);
}

/** Stops it, whatever it is doing. */
export async function stopSide(): Promise<void> {
  await pgCtl("stop", "--silent", "-m", "immediate", "-w", "-D", sideFiles.data);
}

/** A line every two seconds about how far the log has been replayed. */
async function tellProgress(signal: AbortSignal): Promise<void> {
  let before = "";
  while (!signal.aborted) {
    await sleep(2000, undefined, { signal }).catch(() => undefined);
    const log = await readFile(sideFiles.log, "utf8").catch(() => "");
    const at = log.match(/restored log file "([0-9A-F]{24})"/g)?.at(-1) ?? "";
    if (at !== before) logLine(`recover … ${at.slice(-25, -1)}`);
    before = at;
  }
}

/** Its exit status. PostgreSQL would inherit a pipe, and whoever waited for its end would wait for PostgreSQL's. */
async function pgCtl(...args: readonly string[]): Promise<number> {
  const child = spawn("pg_ctl", args, { env: english, stdio: "ignore" });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => {
      resolve(code ?? 255);
    });
  });
}

/** What the control file of its cluster says in a line. */
async function controlled(name: string): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  for await (const chunk of streamOutput("pg_controldata", ["-D", sideFiles.data], english))
    chunks.push(chunk);
  const lines = Buffer.concat(chunks).toString("utf8").split("\n");
  return lines
    .find((line) => line.startsWith(`${name}:`))
    ?.slice(name.length + 1)
    .trim();
}
