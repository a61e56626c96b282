/**
 * Runs inside a container of the server image, bundled by hba-server.ts: a PostgreSQL of its own, whose log shows which
 * line of pg_hba.conf decided over a connection.
 */
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { mkdirSync, openSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import path from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "pg";
import { probe, type Probe } from "../../../agent/server/pg-hba/probe";
import type { HbaAnswer, HbaCase, HbaJob, HbaOutcome, HbaRow, HbaRun, HbaTry } from "./run-cases";

const folder = "/tmp/hba";
const data = path.join(folder, "data");
const logFile = path.join(folder, "log");

const settings = [
  ...["fsync=off", "ssl=on", "log_connections=on", "log_line_prefix=", "lc_messages=C"],
  ...["listen_addresses=*", `unix_socket_directories=${folder}`],
  ...[`ssl_cert_file=${folder}/crt`, `ssl_key_file=${folder}/key`, `ssl_ca_file=${folder}/crt`],
].flatMap((setting) => ["-c", setting]);

async function main(): Promise<void> {
  const job = JSON.parse(await text(process.stdin)) as HbaJob;
  const server = start();
  const client = new Client({ host: folder, user: "postgres", database: "postgres" });
  try {
    await connect(client);
    await client.query(job.setup);
    const outcomes: HbaOutcome[] = [];
    for (const one of job.cases) outcomes.push(await play(client, one));
    const run: HbaRun = { interfaces: interfaces(), outcomes };
    process.stdout.write(JSON.stringify(run));
  } finally {
    await client.end();
    server.kill("SIGINT");
  }
}

function start(): ChildProcess {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  run("initdb", "-D", data, "-U", "postgres", "--no-sync", "--auth=trust", "--locale=C.UTF-8");
  const key = ["-newkey", "rsa:2048", "-nodes", "-keyout", `${folder}/key`];
  run("openssl", "req", "-x509", ...key, "-out", `${folder}/crt`, "-subj", "/CN=server");
  const log = openSync(logFile, "a");
  return spawn("postgres", ["-D", data, ...settings], { stdio: ["ignore", log, log] });
}

function run(program: string, ...args: readonly string[]): void {
  const { status, stderr } = spawnSync(program, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
}

async function connect(client: Client): Promise<void> {
  for (let left = 100; ; left--) {
    const answer = await probe(atSocket).catch(() => undefined);
    if (answer?.kind === "accepted" && answer.sessionError === undefined) break;
    if (left === 0) throw new Error(readFileSync(logFile, "utf8"));
    await sleep(100);
  }
  await client.connect();
}

/** Addresses of this machine with their prefix lengths. */
function interfaces(): string[] {
  return Object.values(networkInterfaces()).flatMap((all) =>
    (all ?? []).flatMap(({ cidr }) => cidr ?? []),
  );
}

async function play(client: Client, { files, tries }: HbaCase): Promise<HbaOutcome> {
  for (const [name, contents] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(data, name)), { recursive: true });
    writeFileSync(path.join(data, name), contents);
  }
  const { rows } = await client.query<HbaRow>("SELECT * FROM pg_hba_file_rules");
  // The postmaster reads the files before it takes the next connection.
  await client.query("SELECT pg_reload_conf()");
  const answers: HbaAnswer[] = [];
  for (const one of tries) answers.push(await attempt(one));
  for (const name of Object.keys(files)) rmSync(path.join(data, name));
  return { rows, answers };
}

const socketFile = path.join(folder, ".s.PGSQL.5432");
const atSocket: Probe = {
  to: { path: socketFile },
  tls: false,
  user: "postgres",
  database: "postgres",
  replication: false,
};

async function attempt({ address, ...who }: HbaTry): Promise<HbaAnswer> {
  const to =
    address === undefined
      ? { path: socketFile }
      : { host: serverAddress(address), port: 5432, localAddress: address };
  // PostgreSQL writes to the end of the file, wherever that is.
  truncateSync(logFile);
  const answer = await probe({ to, ...who });
  const log = readFileSync(logFile, "utf8");
  const [, file, line] =
    /connection authenticated: .* \((.+):(\d+)\)$/m.exec(log) ??
    /Connection matched file "(.+)" line (\d+): /.exec(log) ??
    [];
  if (file === undefined) return { answer };
  return { answer, decidedBy: `${path.relative(data, file)}:${line ?? ""}` };
}

/** Where to go from an address: over loopback, an address leads to every other one of its family. */
function serverAddress(address: string): string {
  return address.includes(":") ? address : "127.0.0.1";
}

void main();
