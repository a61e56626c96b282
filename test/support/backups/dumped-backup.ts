import { createHash } from "node:crypto";
import { expect } from "vitest";
import type { Manifest } from "../../../model/backup/manifest";
import { verifyResultSchema, type VerifyResult } from "../../../model/backup/verification-protocol";
import type { CommandResult, TestServer } from "../servers/server";
import { signManifest } from "./signed-records";

/** Where the agent has its backups. */
export const repository = "/var/backups/stagecraft";

/** A backup to be made for a test, without the agent. */
export interface DumpedBackup {
  readonly id: string;
  readonly database: string;
  readonly format?: "directory" | "custom" | "plain";
  /** A script that is run in the backup's folder before the files are counted. */
  readonly edit?: string;
  /** Changes what the manifest tells. */
  readonly tell?: (manifest: Manifest) => Manifest;
}

const countsSql = `
  SELECT coalesce(json_agg(json_build_object('schema', n.nspname, 'name', c.relname, 'rows',
           (xpath('/row/n/text()', query_to_xml(format('SELECT count(*) AS n FROM ONLY %I.%I', n.nspname, c.relname), false, true, '')))[1]::text::bigint)
         ORDER BY n.nspname, c.relname), '[]')
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind = 'r' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')`;

/** Makes a backup of one database with plain tools, as the agent would have made it. */
export async function writeDumpedBackup(
  server: TestServer,
  {
    id,
    database,
    format = "directory",
    edit = "true",
    tell = (manifest) => manifest,
  }: DumpedBackup,
): Promise<Manifest> {
  const folder = `${repository}/${id}`;
  const ending = { directory: "dir", custom: "dump", plain: "sql" }[format];
  const moment = id.replace(/^(\d{8})T(\d{6})Z$/, "$1.$2");
  const dump = `pg_dump.${server.name}.${database}.${moment}.${ending}`;
  const dumped = await server.run([
    ...["sh", "-ec", 'mkdir -p "$1" && pg_dump -U postgres -F"$2" -f "$1/$3" "$4"', "-"],
    ...[folder, format.charAt(0), dump, database],
  ]);
  expect(dumped).toMatchObject({ status: 0, stderr: "" });
  const sums = await server.run([
    "sh",
    "-ec",
    `cd ${folder} && ${edit} && find . -type f -exec sha256sum {} + -exec stat -c '%s %n' {} +`,
  ]);
  const sizes = new Map(
    [...sums.stdout.matchAll(/^(\d+) \.\/(.+)$/gm)].map(([, bytes, path = ""]) => [
      path,
      Number(bytes),
    ]),
  );
  const files = [...sums.stdout.matchAll(/^([0-9a-f]{64}) {2}\.\/(.+)$/gm)]
    .map(([, sha256 = "", path = ""]) => ({ path, bytes: sizes.get(path) ?? 0, sha256 }))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
  const at = new Date().toISOString();
  const manifest = tell({
    ...{ format: 1, id, server: server.name, kind: "development", job: null },
    ...{ startedAt: at, finishedAt: at, agentVersion: "0", applicationRevision: null },
    postgres: { version: "17", systemIdentifier: "0" },
    databases: [
      {
        ...{ name: database, dump, format, compression: "gzip", parallel: 1, encoding: "UTF8" },
        ...{ locale: "C", bytes: 10_000_000, extensions: [], seconds: 1 },
        tables: JSON.parse(await server.sql(database, countsSql)) as [],
        largeObjects: Number(
          await server.sql(database, "SELECT count(*) FROM pg_largeobject_metadata"),
        ),
      },
    ],
    files,
  });
  await writeManifest(server, manifest);
  return manifest;
}

/** Writes a manifest with its seal, signed as the agent signs it. */
export async function writeManifest(server: TestServer, manifest: Manifest): Promise<void> {
  const text = JSON.stringify(manifest);
  const folder = `${repository}/${manifest.id}`;
  const sha256 = createHash("sha256").update(text).digest("hex");
  await server.output(["sh", "-c", `cat >${folder}/manifest.json`], Buffer.from(text));
  await server.output(
    ["sh", "-c", `cat >${folder}/manifest.sha256`],
    Buffer.from(`${sha256}  manifest.json\n`),
  );
  await signManifest(server, manifest.id);
}

/** What a verification ended with. */
export interface VerifyOutcome extends CommandResult {
  readonly result: VerifyResult | undefined;
}

/** Has the agent verify a backup; the newest one that is not verified, when none is named. */
export async function verifyBackup(server: TestServer, backup?: string): Promise<VerifyOutcome> {
  const said = await server.agent(["verify"], { server: server.name, backup });
  const result = said.stdout === "" ? undefined : verifyResultSchema.parse(JSON.parse(said.stdout));
  return { ...said, result };
}
