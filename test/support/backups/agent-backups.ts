import { execa } from "execa";
import { expect } from "vitest";
import { catalogueEntrySchema, type Attempt } from "../../../model/backup/catalogue";
import { manifestSchema, type Manifest } from "../../../model/backup/manifest";
import { jobResultSchema, type JobResult } from "../../../model/backup/protocol";
import type { BackupJob } from "../../../model/backup/job";
import type { TestServer } from "../servers/server";

/** Where a server of a test keeps its backups. */
export const repository = "/var/backups/stagecraft";

/** What differs from the defaults of a job. */
export type TestJob = Partial<BackupJob>;

/** Puts jobs in force. They run at a time that does not come. */
export async function schedule(
  server: TestServer,
  jobs: Readonly<Record<string, TestJob>>,
  maintenance: Readonly<Record<string, object>> = {},
): Promise<void> {
  const never = { schedule: "0 0 29 2 *" };
  const request = {
    server: server.name,
    jobs: Object.fromEntries(
      Object.entries(jobs).map(([name, job]) => [name, { ...never, ...job }]),
    ),
    maintenance,
    keep: {},
    pins: [],
  };
  expect(await server.agent(["backups-schedule"], request)).toMatchObject({ status: 0 });
}

/** Has a backup made by hand, as the named job makes it. */
export async function backUp(
  server: TestServer,
  job: string | null = null,
): Promise<{ status: number; result: JobResult; stderr: string }> {
  const said = await server.agent(["backup"], { server: server.name, job });
  const result = jobResultSchema.parse(JSON.parse(said.stdout));
  return { status: said.status, stderr: said.stderr, result };
}

/** The same, and it has to come about; its manifest. */
export async function backUpWell(server: TestServer, job: string | null = null): Promise<Manifest> {
  const { status, result, stderr } = await backUp(server, job);
  expect(result.succeeded, stderr).toBe(true);
  expect(status).toBe(0);
  return readManifest(server, result.backup ?? "");
}

/** The manifest of a finished backup. */
export async function readManifest(server: TestServer, id: string): Promise<Manifest> {
  const { stdout } = await server.run(["cat", `${repository}/${id}/manifest.json`]);
  return manifestSchema.parse(JSON.parse(stdout));
}

/** What is kept of an attempt; `undefined` when nothing is. */
export async function readAttempt(server: TestServer, id: string): Promise<Attempt | undefined> {
  const { status, stdout } = await server.run(["cat", `${repository}/records/${id}/attempt.json`]);
  if (status !== 0) return undefined;
  const { signature, ...attempt } = JSON.parse(stdout) as Record<string, unknown>;
  expect(signature).toBeDefined();
  return catalogueEntrySchema.shape.attempt.parse(attempt) ?? undefined;
}

/** Names of what lies in the repository, without the records. */
export async function listRepository(server: TestServer): Promise<string[]> {
  const { stdout } = await server.run(["ls", "-A", repository]);
  return stdout.split("\n").filter((name) => name !== "" && name !== "records");
}

/** Every table's rows in a database, as a manifest has them. */
export async function rowsOf(server: TestServer, database: string): Promise<string[]> {
  const tables = await server.sql(
    database,
    `SELECT format('SELECT %L, count(*) FROM ONLY %I.%I', n.nspname || '.' || c.relname, n.nspname, c.relname)
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind = 'r' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
     ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C"`,
  );
  if (tables === "") return [];
  const counted = await server.sql(database, tables.split("\n").join(" UNION ALL "));
  return counted.split("\n").sort();
}

/** The rows of a database as its manifest tells them, in the same form. */
export function rowsIn(manifest: Manifest, database: string): string[] {
  const found = manifest.databases.find(({ name }) => name === database);
  return (found?.tables ?? []).map(({ schema, name, rows }) => `${schema}.${name}|${rows}`).sort();
}

/** A database for what is restored; by its name it is nothing that a backup would have. */
export const copy = "restored__previous";

/** Restores a dump of a backup with PostgreSQL's own programs into {@link copy}, and nothing else is in there then. */
export async function restoreDump(
  server: TestServer,
  manifest: Manifest,
  database: string,
): Promise<void> {
  const found = manifest.databases.find(({ name }) => name === database);
  if (!found) throw new Error(`no ${database} in ${manifest.id}`);
  await server.sql("postgres", `DROP DATABASE IF EXISTS ${copy} WITH (FORCE)`);
  await server.sql("postgres", `CREATE DATABASE ${copy} TEMPLATE template0`);
  const dump = `${repository}/${manifest.id}/${found.dump}`;
  const unpack = {
    zstd: "zstd -dc",
    lz4: "lz4 -dc",
    gzip: "gzip -dc",
    bzip2: "bzip2 -dc",
    none: "cat",
  };
  const script =
    found.format === "plain"
      ? `${unpack[found.compression]} "$1" | psql -qX -v ON_ERROR_STOP=1 -U postgres -d "$2" > /dev/null`
      : 'pg_restore --exit-on-error -U postgres -d "$2" "$1"';
  const said = await server.run(["bash", "-o", "pipefail", "-ec", script, "-", dump, copy]);
  expect(said).toMatchObject({ status: 0, stderr: "" });
}

/** Ends the process of a backup in the agent's container, and nothing else, as the kernel does when memory is short. */
export async function killBackup(server: TestServer): Promise<void> {
  await execa("docker", [
    ...["exec", server.agentContainer, "bash", "-c"],
    // The pattern must not find the shell itself.
    `for p in /proc/[0-9]*; do tr '\\0' ' ' < $p/cmdline 2>/dev/null | grep -q '[a]gent.js backup' && kill -KILL \${p#/proc/}; done; true`,
  ]);
}
