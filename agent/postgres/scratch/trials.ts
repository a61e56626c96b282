import { spawn } from "node:child_process";
import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { text } from "node:stream/consumers";
import type { ScratchAnswer, ScratchRequest } from "./protocol";
import {
  exitText,
  parameterArguments,
  postgresEnvironment,
  socketFolderOf,
  startPostgres,
  stopPostgres,
  untilAccepting,
} from "./run-postgres";

type RulesCheck = Extract<ScratchRequest, { task: "check rules" }>;
type ConfigurationTrial = Extract<ScratchRequest, { task: "try configuration" }>;

/** Where the files of PostgreSQL's data folder are during a trial: at the same paths, in memory. */
const filesFolder = "/var/lib/postgresql/data";

/** How long a trial server may take to start on a busy machine. */
const startTimeoutMs = 60_000;

/** Parameters for a small footprint. */
const minimalParameters = {
  fsync: "off",
  huge_pages: "off",
  log_checkpoints: "off",
  max_connections: "4",
  max_wal_senders: "0",
  shared_buffers: "128kB",
};

/**
 * PostgreSQL reports some errors, such as a RADIUS server whose name it cannot resolve, only at debug level: the line then
 * has neither values nor an error.
 */
const rulesQuery = `SET log_min_messages = debug3;

COPY (
  SELECT jsonb_build_object('rules', count(*), 'rejected', jsonb_agg(r) FILTER (WHERE error IS NOT NULL OR type IS NULL),
           'maps', (SELECT jsonb_agg(m) FROM pg_ident_file_mappings AS m WHERE error IS NOT NULL))
  FROM pg_hba_file_rules AS r) TO STDOUT`;

/**
 * Parameters that isolate a trial server whatever its files contain: it is not reachable, does not archive, and logs to
 * stderr.
 */
const isolation = {
  listen_addresses: "",
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

/** Lets `postgres --single` read a candidate of `pg_hba.conf`. Takes about 30 ms. */
export async function readRules(
  cluster: string,
  { files, file, maps = "/dev/null" }: RulesCheck,
): Promise<ScratchAnswer> {
  return withFiles(files, async () => {
    const parameters = {
      ...minimalParameters,
      hba_file: file,
      ident_file: maps,
      // Without TLS, PostgreSQL would report an error for a hostssl line, although it accepts the line.
      ssl: "on",
      data_directory: cluster,
    };
    const args = ["--single", "-j", "-D", cluster, ...parameterArguments(parameters), "postgres"];
    const child = spawn("postgres", args, { env: postgresEnvironment, stdio: "pipe" });
    // It may exit before it has read all of its input.
    child.stdin.on("error", () => undefined);
    child.stdin.end(rulesQuery);
    const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
    return answer({ stdout: withoutPrompts(stdout), stderr });
  });
}

/** Starts PostgreSQL with configuration files, and connects to it. Takes about 0.2 s. */
export async function tryConfiguration(
  cluster: string,
  { files, file }: ConfigurationTrial,
): Promise<ScratchAnswer> {
  const folder = socketFolderOf(cluster);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const rules = path.join(folder, "hba");
  // Nobody else can enter the folder of the socket.
  await writeFile(rules, "local all postgres trust\n");
  return withFiles(files, async () => {
    const server = startPostgres(cluster, {
      ...isolation,
      hba_file: rules,
      unix_socket_directories: folder,
      data_directory: cluster,
      config_file: file,
    });
    const log = text(server.stderr);
    const outcome = await untilAccepting(server, folder, startTimeoutMs);
    await stopPostgres(server, "SIGINT");
    const stderr = await log;
    if (outcome === "runs") return answer({ stderr, started: true });
    if (outcome === "ended") return answer({ stderr, exit: exitText(server) });
    return answer({ stderr, rejection: outcome.failure });
  });
}

/** Writes files to their paths for the time of `work`. One trial runs at a time. */
async function withFiles<T>(
  files: Readonly<Record<string, string>>,
  work: () => Promise<T>,
): Promise<T> {
  try {
    for (const [name, contents] of Object.entries(files)) {
      const target = path.resolve(name);
      if (!target.startsWith(`${filesFolder}/`))
        throw new Error(`${name} is not a file of PostgreSQL's data folder`);
      await mkdir(path.dirname(target), { recursive: true, mode: 0o700 });
      await writeFile(target, Buffer.from(contents, "base64"), { mode: 0o600 });
    }
    return await work();
  } finally {
    for (const name of await readdir(filesFolder))
      await rm(path.join(filesFolder, name), { recursive: true, force: true });
  }
}

function answer(more: Partial<ScratchAnswer>): ScratchAnswer {
  return {
    failure: null,
    stdout: "",
    stderr: "",
    started: false,
    rejection: null,
    exit: "",
    ...more,
  };
}

/** Removes the banner and the prompts of single-user mode, which is interactive. */
function withoutPrompts(stdout: string): string {
  return stdout
    .replace(/^\nPostgreSQL stand-alone backend .*\n(?:backend> )*/, "")
    .replace(/backend> \n?$/, "");
}
