import { rm, writeFile } from "node:fs/promises";
import type { Client } from "pg";
import type { ArchiveFacts, DatabaseOptions } from "../../../model/dump/archive";
import { readDatabaseOptions } from "../../../model/dump/archive";
import type { Compression, DumpKind } from "../../../model/dump/format";
import { neededBytes, spaceProblem } from "../../../model/dump/space";
import { quoteLiteral } from "../../../model/base/sql";
import { formatBytes } from "../../../model/base/units";
import { AgentError, EnvironmentError } from "../../system/errors";
import { logLine } from "../../system/progress";
import { readArchive } from "./read-archive";
import { checkDataFiles, checkTar } from "./check-data-files";
import { recogniseContent, unpack } from "./content";
import { freeDataBytes } from "../../postgres/free-space";

/** A dump on disk, wherever it lies. */
export interface DumpFile {
  /** The name it goes by, for people. */
  readonly name: string;
  readonly path: string;
  readonly isFolder: boolean;
  readonly bytes: number;
  /** Where an archive that is packed as a whole is unpacked to. The caller removes it. */
  readonly unpacked: string;
  /** Whether its files were compared with a manifest, as its rows will be: then a file that is cut short need not be looked for. */
  readonly compared?: boolean;
}

/** What is known better than the dump tells it. */
export interface DumpCorrections {
  /** What its text is encoded in, for a dump that does not know (SQL_ASCII). */
  readonly encoding?: string | undefined;
  /** Locale of the database, where the dump names none or one that this server has not. */
  readonly locale?: string | undefined;
}

interface OpenedDump {
  readonly name: string;
  readonly path: string;
  readonly bytes: number;
  readonly compression: Compression;
  /** How the database is to be made. */
  readonly databaseOptions: DatabaseOptions;
  /** Client encoding to use instead of the dump's. */
  readonly encoding: string | undefined;
}

/** A dump in SQL. */
export interface PlainDump extends OpenedDump {
  readonly kind: "plain";
}

/** A dump for pg_restore. */
export interface ArchiveDump extends OpenedDump {
  readonly kind: Exclude<DumpKind, "plain">;
  /** What its schema tells. */
  readonly archive: ArchiveFacts;
}

/** A dump that has been read far enough to begin. */
export type Dump = PlainDump | ArchiveDump;

/** Reads what must be known before a restore begins; throws an {@link AgentError} for a dump that cannot be restored here. */
export async function openDump(
  client: Client,
  { name, path, isFolder, bytes, unpacked, compared = false }: DumpFile,
  corrections: DumpCorrections = {},
): Promise<Dump> {
  const { compression, kind, head } = isFolder
    ? { compression: "none" as const, kind: "directory" as const, head: Buffer.alloc(0) }
    : await recogniseContent(path, name);
  await checkSpace(client, name, neededBytes({ bytes, kind, compression }));
  const major = Number(
    (
      await client.query<{ v: string }>("SELECT current_setting('server_version_num') AS v")
    ).rows[0]?.v.slice(0, -4),
  );
  if (kind === "plain") {
    const options = await plainOptions(client, name, head.toString("latin1"), corrections);
    return { name, path, bytes, kind, compression, ...options };
  }
  if (compression !== "none") await unpackArchive(path, compression, name, unpacked);
  const file = compression === "none" ? path : unpacked;
  if (kind === "directory" && !compared) await checkDataFiles(file, name);
  if (kind === "tar") await checkTar(file, name);
  const archive = await readArchive({ name, path: file, kind }, major);
  const options = await databaseOptions(client, name, archive.database, corrections);
  return { name, path: file, bytes, kind, compression, archive, ...options };
}

/** pg_restore seeks in archives, so a packed one is unpacked first. */
async function unpackArchive(
  file: string,
  compression: Compression,
  name: string,
  unpacked: string,
): Promise<void> {
  try {
    await writeFile(unpacked, unpack(file, compression, name), { mode: 0o600 });
  } catch (error) {
    await rm(unpacked, { force: true });
    throw error;
  }
}

async function checkSpace(client: Client, name: string, needed: number): Promise<void> {
  const free = await freeDataBytes(client);
  if (free === null) {
    logLine(
      `not checked: whether PostgreSQL's machine has the ${formatBytes(needed)} that ${name} needs`,
    );
    return;
  }
  const problem = spaceProblem(name, needed, free);
  if (problem !== undefined) throw new EnvironmentError(problem);
}

async function plainOptions(
  client: Client,
  name: string,
  head: string,
  corrections: DumpCorrections,
): Promise<Pick<Dump, "databaseOptions" | "encoding">> {
  const create = /^CREATE DATABASE .*$/m.exec(head)?.[0];
  const said = /^SET client_encoding = '([^']*)';/m.exec(head)?.[1];
  const told = create === undefined ? { options: [] } : readDatabaseOptions(create);
  return databaseOptions(
    client,
    name,
    { ...(said === undefined ? {} : { encoding: said }), ...told },
    corrections,
  );
}

/** The dump's encoding and locale, corrected by what the settings say. */
async function databaseOptions(
  client: Client,
  name: string,
  told: DatabaseOptions,
  { encoding, locale }: DumpCorrections,
): Promise<Pick<Dump, "databaseOptions" | "encoding">> {
  const asciiOnly = told.encoding === undefined || told.encoding === "SQL_ASCII";
  if (encoding !== undefined && !asciiOnly && encoding.toUpperCase() !== told.encoding) {
    throw new AgentError(
      `${name} is in ${told.encoding ?? ""}, but database.encoding says ${encoding}; remove the setting, PostgreSQL converts by itself`,
    );
  }
  const wanted = asciiOnly ? "UTF8" : (told.encoding ?? "UTF8");
  await checkEncoding(client, wanted, `the client_encoding of ${name}`);
  if (encoding !== undefined) await checkEncoding(client, encoding, "database.encoding");
  const isUtf8 = /^utf-?8$/i.test(wanted);
  const options =
    locale !== undefined
      ? [`LOCALE_PROVIDER = libc`, `LOCALE = ${quoteLiteral(locale)}`]
      : told.options.length > 0
        ? told.options
        : // Only the locale C goes with every encoding.
          isUtf8
          ? []
          : ["LOCALE_PROVIDER = libc", "LOCALE = 'C'"];
  return {
    databaseOptions: { encoding: wanted, options },
    // COPY checks nothing of what a client in SQL_ASCII sends, so broken text would get in.
    encoding: asciiOnly ? (encoding ?? wanted) : undefined,
  };
}

async function checkEncoding(client: Client, encoding: string, what: string): Promise<void> {
  const { rows } = await client.query<{ code: number }>("SELECT pg_char_to_encoding($1) AS code", [
    encoding,
  ]);
  const code = rows[0]?.code ?? -1;
  // Encodings above the last server encoding are for clients only (PostgreSQL manual, 23.3.1).
  const valid =
    code >= 0 &&
    (await client.query("SELECT FROM pg_encoding_max_length($1) AS n WHERE n > 0", [code]))
      .rowCount === 1;
  if (valid) return;
  throw new AgentError(
    `${what}, "${encoding}", is no encoding that PostgreSQL knows; set database.encoding to what the text really is, e.g. "LATIN1"`,
  );
}
