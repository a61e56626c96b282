import { expect } from "vitest";
import type { BackupId } from "../../../model/base/names";
import type { TestServer } from "../servers/server";
import { manifestSha256, signManifest, writeSignedRecord } from "./signed-records";

/** Where an agent keeps its backups. */
const repository = "/var/backups/stagecraft";

/** Makes a backup as the agent does, with a real dump in it and some more bytes that cannot be packed. */
export async function writeScriptedBackup(
  server: TestServer,
  id: BackupId,
  megabytes = 1,
  job = "nightly",
): Promise<void> {
  const said = await server.run(
    ["node", "-", server.name, id, String(megabytes), job],
    Buffer.from(script),
  );
  expect(said, said.stderr).toMatchObject({ status: 0 });
  await signManifest(server, id);
}

/** Notes a backup as one that a restore has found good. */
export async function markVerified(server: TestServer, id: BackupId): Promise<void> {
  const verification = {
    ...{ checkedAt: new Date().toISOString(), result: "passed", from: "repository" },
    ...{ restored: true, seconds: 1, text: "passed" },
  };
  const manifest = await manifestSha256(server, id);
  await writeSignedRecord(server, id, "verification", { ...verification, manifest });
}

/** Removes a backup from the server, and all that is known of it. */
export async function deleteBackup(server: TestServer, id: BackupId): Promise<void> {
  await server.run(["rm", "-rf", `${repository}/${id}`, `${repository}/records/${id}`]);
}

/** SHA-256 of all files of a backup, a line each. */
export async function backupDigests(server: TestServer, id: BackupId): Promise<string> {
  const list = "cd $0 && find . -type f | sort | xargs sha256sum";
  return (await server.run(["sh", "-c", list, `${repository}/${id}`])).stdout;
}

/** What the repository holds, half-made things too. */
export async function listAllInRepository(server: TestServer): Promise<string[]> {
  const { stdout } = await server.run(["ls", "-A", repository]);
  return stdout.split("\n").filter((name) => name !== "");
}

const script = `
const { execFileSync } = require("node:child_process");
const { createHash, randomBytes } = require("node:crypto");
const fs = require("node:fs");
const path = require("node:path");
const [server, id, megabytes, job] = process.argv.slice(2);
const folder = path.join("${repository}", id);
const dump = \`pg_dump.\${server}.app.\${id.slice(0, 8)}.\${id.slice(9, 15)}.dir\`;
fs.mkdirSync(folder, { recursive: true });
execFileSync("pg_dump", ["-U", "postgres", "-h", "/run/postgresql", "-Fd", "-f", path.join(folder, dump), "postgres"]);
fs.writeFileSync(path.join(folder, dump, "more.dat"), randomBytes(Number(megabytes) * 2 ** 20));
fs.writeFileSync(path.join(folder, "globals.sql"), "-- the roles");
const files = [...fs.readdirSync(path.join(folder, dump)).map((name) => dump + "/" + name), "globals.sql"].sort();
const at = id.replace(/(....)(..)(..)T(..)(..)(..)Z/, "$1-$2-$3T$4:$5:$6Z");
const manifest = {
  format: 1, id, server, kind: "development", job, startedAt: at, finishedAt: at,
  postgres: { version: "17.1", systemIdentifier: "1" }, agentVersion: "0", applicationRevision: null,
  databases: [{
    name: "app", dump, format: "directory", compression: "zstd", parallel: 1, encoding: "UTF8", locale: "C.UTF-8",
    bytes: 1, tables: [], largeObjects: 0, extensions: [], seconds: 1,
  }],
  files: files.map((name) => {
    const bytes = fs.readFileSync(path.join(folder, name));
    return { path: name, bytes: bytes.length, sha256: createHash("sha256").update(bytes).digest("hex") };
  }),
};
const text = JSON.stringify(manifest);
fs.writeFileSync(path.join(folder, "manifest.json"), text);
const seal = createHash("sha256").update(text).digest("hex") + "  manifest.json\\n";
fs.writeFileSync(path.join(folder, "manifest.sha256"), seal);
`;
