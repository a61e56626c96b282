import { writeFile } from "node:fs/promises";
import path from "node:path";
import { withNewCluster } from "./clusters";
import { scratchFolder } from "./protocol";
import {
  exitText,
  startPostgres,
  stopPostgres,
  untilAccepting,
  type PostgresProcess,
} from "./run-postgres";

/** Rules of the server: the agent, whom the kernel names as the operating system's `postgres`, is its superuser. */
const rules = "local all postgres peer\nlocal all all scram-sha-256\n";

/** How long the server may take to start on a busy machine. */
const startTimeoutMs = 120_000;

/**
 * Parameters of a server whose contents nobody needs after a crash: it writes as little WAL as possible, and nothing of a
 * dump gets into the container's log. The caller's parameters cannot override them.
 */
const disposable = {
  listen_addresses: "",
  unix_socket_directories: scratchFolder,
  unix_socket_permissions: "0777",
  fsync: "off",
  full_page_writes: "off",
  synchronous_commit: "off",
  wal_level: "minimal",
  max_wal_senders: "0",
  archive_mode: "off",
  autovacuum: "off",
  max_logical_replication_workers: "0",
  checkpoint_timeout: "1h",
  log_checkpoints: "off",
  log_min_messages: "fatal",
  log_min_error_statement: "panic",
  log_destination: "stderr",
  logging_collector: "off",
  max_locks_per_transaction: "256",
  password_encryption: "scram-sha-256",
};

/** An empty server, for as long as somebody uses it. */
export class ScratchServer {
  #users = 0;
  #running: Promise<PostgresProcess> | undefined;
  #stopped: Promise<void> = Promise.resolve();

  /** Starts the server unless it is running. Each call needs one of {@link release}, after a failure too. */
  async acquire(parameters: Readonly<Record<string, string>>): Promise<void> {
    this.#users++;
    const running = (this.#running ??= this.#start(parameters));
    const server = await running;
    // After a crash; the next user gets a new one.
    void ended(server).then(() => {
      if (this.#running === running) this.#running = undefined;
    });
  }

  /** Stops the server and deletes its data when nobody else uses it. */
  release(): void {
    this.#users--;
    if (this.#users > 0) return;
    const running = this.#running;
    this.#running = undefined;
    void running?.then((server) => stopPostgres(server, "SIGQUIT")).catch(() => undefined);
  }

  /** Starts a new cluster when the previous one is deleted. */
  async #start(parameters: Readonly<Record<string, string>>): Promise<PostgresProcess> {
    await this.#stopped;
    return new Promise((resolve, reject) => {
      this.#stopped = withNewCluster(async (cluster) => {
        const server = await start(cluster, parameters);
        resolve(server);
        await ended(server);
      }).catch(reject);
    });
  }
}

async function start(
  cluster: string,
  parameters: Readonly<Record<string, string>>,
): Promise<PostgresProcess> {
  const hbaFile = path.join(cluster, "pg_hba.conf");
  await writeFile(hbaFile, rules);
  const server = startPostgres(cluster, {
    ...parameters,
    ...disposable,
    data_directory: cluster,
    hba_file: hbaFile,
  });
  server.stderr.pipe(process.stderr, { end: false });
  const outcome = await untilAccepting(server, scratchFolder, startTimeoutMs);
  if (outcome === "runs") return server;
  await stopPostgres(server, "SIGQUIT");
  throw new Error(
    outcome === "ended" ? `PostgreSQL does not start: ${exitText(server)}` : outcome.failure,
  );
}

async function ended(server: PostgresProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return;
  await new Promise((resolve) => server.once("close", resolve));
}
