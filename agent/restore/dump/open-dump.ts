import { rm, writeFile } from "node:fs/promises";
import type { Client } from "pg";
import type { DatabaseOptions } from "../../../model/dump/archive";
import { readDatabaseOptions } from "../../../model/dump/archive";
import { oneDatabaseProblem, type Compression, type DumpKind } from "../../../model/dump/format";
import { neededBytes, spaceProblem } from "../../../model/dump/disk-space";
import { quoteLiteral } from "../../../model/base/sql";
import { formatBytes } from "../../../model/base/units";
import { AgentError, EnvironmentError } from "../../system/errors";
import { logLine } from "../../system/progress";
import { clientEncodingOf } from "../../../model/dump/client-encoding";
import { missingLocale } from "./missing-locale";
import { readArchive, type ArchiveContents } from "./read-archive";
import { checkDataFiles, checkTar } from "./check-data-files";
import { recogniseContent, unpack } from "./content";
import { freeDataBytes } from "../../postgres/free-space";

/** A dump on disk. */
export interface DumpFile {
  /** Its name in messages. */
  readonly name: string;
  readonly path: string;
  readonly isFolder: boolean;
  readonly bytes: number;
  /** Where a compressed archive is unpacked to. The caller removes it. */
  readonly unpacked: string;
  /** Whether its files were compared with a manifest: then they are not checked for truncation. @default false */
  readonly compared?: boolean;
  /** The database to restore, if the file is the dump of a whole cluster. */
  readonly only?: string | undefined;
}

/** Overrides of properties that the dump lacks or has wrong. */
export interface DumpCorrections {
  /** Encoding of its text, for a dump in SQL_ASCII. */
  readonly encoding?: string | undefined;
  /** Locale of the database, when the dump has none or one that does not exist on this server. */
  readonly locale?: string | undefined;
}

/** The part of {@link DumpBase} that the database is created with. */
type CreationOptions = Pick<OpenedDump, "databaseOptions" | "encoding" | "notes">;

interface DumpBase {
  readonly name: string;
  readonly path: string;
  readonly bytes: number;
  readonly compression: Compression;
  /** Options of CREATE DATABASE. */
  readonly databaseOptions: DatabaseOptions;
  /** Client encoding that overrides the dump's. */
  readonly encoding: string | undefined;
  /** Major version of the server that it is restored on. */
  readonly serverMajor: number;
  /** What to say about the dump with the verdict. */
  readonly notes: readonly string[];
}

/** A dump in SQL. */
export interface PlainDump extends DumpBase {
  readonly kind: "plain";
  /** The database to restore from the dump of a whole cluster; `undefined` if it is of one database. */
  readonly only: string | undefined;
}

/** A dump for pg_restore. */
export interface ArchiveDump extends DumpBase {
  readonly kind: Exclude<DumpKind, "plain">;
  /** Facts from its schema. */
  readonly archive: ArchiveContents;
}

/** A dump that is ready to be restored. */
export type OpenedDump = PlainDump | ArchiveDump;

/** Reads what a restore needs to know first; throws an {@link AgentError} for a dump that cannot be restored here. */
export async function openDump(
  client: Client,
  { name, path, isFolder, bytes, unpacked, compared = false, only }: DumpFile,
  corrections: DumpCorrections = {},
): Promise<OpenedDump> {
  const { compression, kind, head, isCluster } = isFolder
    ? {
        ...{ compression: "none" as const, kind: "directory" as const },
        ...{ head: Buffer.alloc(0), isCluster: false },
      }
    : await recogniseContent(path, name, only);
  if (only !== undefined && !isCluster) throw new AgentError(oneDatabaseProblem(name));
  await checkSpace(client, name, neededBytes({ bytes, kind, compression }));
  const serverMajor = Number(
    (
      await client.query<{ v: string }>("SELECT current_setting('server_version_num') AS v")
    ).rows[0]?.v.slice(0, -4),
  );
  if (kind === "plain") {
    const options = await plainOptions(client, name, head.toString("latin1"), corrections);
    return { name, path, bytes, kind, compression, serverMajor, only, ...options };
  }
  if (compression !== "none") await unpackArchive(path, compression, name, unpacked);
  const file = compression === "none" ? path : unpacked;
  if (kind === "directory" && !compared) await checkDataFiles(file, name);
  if (kind === "tar") await checkTar(file, name);
  const archive = await readArchive({ name, path: file, kind });
  const options = await databaseOptions(client, name, archive.database, corrections);
  return { name, path: file, bytes, kind, compression, serverMajor, archive, ...options };
}

/** Unpacks a compressed archive, because pg_restore needs random access. */
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
      `cannot check whether PostgreSQL's machine has the ${formatBytes(needed)} of disk space that ${name} needs`,
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
): Promise<CreationOptions> {
  const create = /^CREATE DATABASE .*$/m.exec(head)?.[0];
  const encoding = head
    .split("\n")
    .flatMap((line) => clientEncodingOf(line) ?? [])[0]
    ?.toUpperCase();
  const options = create === undefined ? { options: [] } : readDatabaseOptions(create);
  return databaseOptions(
    client,
    name,
    { ...(encoding === undefined ? {} : { encoding }), ...options },
    corrections,
  );
}

/** The dump's encoding and locale with the corrections of the stack file. */
async function databaseOptions(
  client: Client,
  name: string,
  dumped: DatabaseOptions,
  { encoding, locale }: DumpCorrections,
): Promise<CreationOptions> {
  const asciiOnly = dumped.encoding === undefined || dumped.encoding === "SQL_ASCII";
  if (encoding !== undefined && !asciiOnly && encoding.toUpperCase() !== dumped.encoding) {
    throw new AgentError(
      `${name} is in ${dumped.encoding ?? ""}, but database.encoding is ${encoding}; remove database.encoding, PostgreSQL converts automatically`,
    );
  }
  const databaseEncoding = asciiOnly ? "UTF8" : (dumped.encoding ?? "UTF8");
  await checkEncoding(client, databaseEncoding, `the client_encoding of ${name}`);
  if (encoding !== undefined) await checkEncoding(client, encoding, "database.encoding");
  const isUtf8 = /^utf-?8$/i.test(databaseEncoding);
  const missing = locale === undefined ? await missingLocale(client, dumped.options) : undefined;
  const notes =
    missing === undefined
      ? []
      : [
          `locale ${missing} of the dump does not exist on this server: its default is used, which may sort text differently; database.locale sets another`,
        ];
  const options =
    locale !== undefined
      ? [`LOCALE_PROVIDER = libc`, `LOCALE = ${quoteLiteral(locale)}`]
      : missing === undefined && dumped.options.length > 0
        ? dumped.options
        : // Only the locale C works with every encoding.
          isUtf8
          ? []
          : ["LOCALE_PROVIDER = libc", "LOCALE = 'C'"];
  return {
    databaseOptions: { encoding: databaseEncoding, options },
    // COPY does not validate text from a client in SQL_ASCII, so invalid text would be stored.
    encoding: asciiOnly ? (encoding ?? databaseEncoding) : undefined,
    notes,
  };
}

async function checkEncoding(client: Client, encoding: string, what: string): Promise<void> {
  const { rows } = await client.query<{ code: number }>("SELECT pg_char_to_encoding($1) AS code", [
    encoding,
  ]);
  const code = rows[0]?.code ?? -1;
  // Some encodings are client-only (PostgreSQL manual, 23.3.1).
  const valid =
    code >= 0 &&
    (await client.query("SELECT FROM pg_encoding_max_length($1) AS n WHERE n > 0", [code]))
      .rowCount === 1;
  if (valid) return;
  throw new AgentError(
    `${what}, "${encoding}", is not a server encoding of PostgreSQL; set database.encoding to the actual encoding of the text, e.g. "LATIN1"`,
  );
}
