import { execa } from "execa";
import { readFileSync } from "node:fs";
import type { TestServer } from "../servers/server";

/** How PostgreSQL's own programs restore a dump. */
export interface Oracle {
  readonly server: TestServer;
  /** The database to make of it. */
  readonly database: string;
  readonly dump: string;
  readonly format: "plain" | "archive" | "folder";
  /** The database that the dump itself creates (`pg_dump -C`). */
  readonly creates?: string | undefined;
}

/** Restores a dump into a new database as the superuser, with psql or pg_restore; what they complain about, a line each. */
export async function restoreWithPsql(oracle: Oracle): Promise<string[]> {
  const { server, database, dump, format, creates } = oracle;
  if (creates === undefined)
    await server.sql("postgres", `CREATE DATABASE "${database}" TEMPLATE template0`);
  const path = `/tmp/${database}`;
  const bytes = await bytesOf(dump, format);
  const unpack = format === "folder" ? `mkdir ${path} && tar -C ${path} -xf -` : `cat > ${path}`;
  await server.output(["sh", "-c", unpack], bytes);
  const into = ["-U", "postgres", "-d", creates === undefined ? database : "postgres"];
  const command =
    format === "plain" ? ["psql", "-qX", ...into, "-f", path] : ["pg_restore", ...into, path];
  const { stderr } = await server.run(command);
  await server.output(["rm", "-r", path]);
  if (creates !== undefined)
    await server.sql("postgres", `ALTER DATABASE "${creates}" RENAME TO "${database}"`);
  // What a server without logical replication says of every publication.
  const usual = /"wal_level" is insufficient|Set "wal_level" to "logical"/;
  return stderr.split("\n").filter((line) => line !== "" && !usual.test(line));
}

async function bytesOf(dump: string, format: Oracle["format"]): Promise<Buffer> {
  if (format !== "folder") return readFileSync(dump);
  const tar = ["-C", dump, "-cf", "-", "."];
  const { stdout } = await execa("tar", tar, { encoding: "buffer", stripFinalNewline: false });
  return Buffer.from(stdout);
}
