import { readdir, stat } from "node:fs/promises";
import path from "node:path";
import { textDecoder } from "../../../model/dump/text-encoding";
import {
  PgRestoreOutputReader,
  type RestoreOutput,
} from "../../../model/import-log/pg-restore-output";
import { AgentError } from "../../system/errors";
import { ownSqlSettings } from "../../postgres/connect";
import type { RestrictedLogin } from "../../postgres/restricted-login";
import {
  clientEnvironment,
  connectionString,
  streamOutput,
  runWithStderrLines,
} from "../../postgres/client-programs";
import type { Progress } from "../../system/progress";
import type { Recorder } from "./recorder";
import { restoreSession } from "./restore-role";
import { withRestoreProgress } from "./restore-progress";
import { withListFile } from "../dump/list-file";
import { type Archive } from "../dump/read-archive";

/** A section of an archive: tables and functions, rows, indexes and constraints. */
export type ArchiveSection = "pre-data" | "data" | "post-data";

interface ArchiveOptions {
  /** Parallel jobs of pg_restore. */
  readonly jobs: number;
  /** The role that restores it. */
  readonly login: RestrictedLogin;
  /** Encoding of the archive's text. */
  readonly encoding: string;
  /** The section to restore. @default all of them */
  readonly section?: ArchiveSection | undefined;
}

/** The archive as a plain dump. */
export function archiveScript({ path: file }: Archive): AsyncIterable<Buffer> {
  return streamOutput("pg_restore", ["--file=-", file], clientEnvironment());
}

/** Entries of an archive as a plain dump, without grants and owners. @param list The entries, as `pg_restore --list` prints them */
export async function archivePart({ path: file }: Archive, list: string): Promise<Buffer> {
  return withListFile(list, async (options) => {
    const args = ["--file=-", "--no-acl", "--no-owner", ...options, file];
    const chunks: Buffer[] = [];
    for await (const chunk of streamOutput("pg_restore", args, clientEnvironment()))
      chunks.push(chunk);
    return Buffer.concat(chunks);
  });
}

/**
 * Restores an archive without its grants and owners with pg_restore, in parallel if its format allows.
 *
 * @param list The entries to restore, as `pg_restore --list` prints them; `undefined` for all.
 */
export async function restoreArchive(
  archive: Archive,
  list: string | undefined,
  database: string,
  recorder: Recorder,
  progress: Progress,
  { jobs, login, encoding, section }: ArchiveOptions,
): Promise<void> {
  const { kind } = archive;
  const sizes = await dataFileSizes(archive);
  let finished = 0;
  const output = new PgRestoreOutputReader();
  const record = (outputs: readonly RestoreOutput[]): void => {
    for (const item of outputs) {
      if (item.type === "message") recorder.message(item.event, item.statement);
      else if (item.type === "finished") finished += sizes.get(item.dumpId) ?? 0;
    }
  };
  const args = (options: readonly string[]): readonly string[] => [
    `--dbname=${connectionString(database)}`,
    "--verbose",
    "--no-acl",
    "--no-owner",
    ...(section === undefined ? [] : [`--section=${section}`]),
    ...options,
    // A tar archive can only be read sequentially.
    ...(kind === "tar" ? [] : [`--jobs=${jobs}`]),
    archive.path,
  ];
  const environment = await login.environment({
    ...ownSqlSettings,
    ...restoreSession,
    ...indexParameters(kind, jobs),
  });
  const run = async (): Promise<number> =>
    withListFile(list, async (options) =>
      runWithStderrLines(
        "pg_restore",
        args(options),
        environment,
        (line) => {
          record(output.push(line.replaceAll(archive.path, archive.name)));
        },
        textDecoder(encoding),
      ),
    );
  const status = await withRestoreProgress(archive.path, database, progress, () => finished, run);
  record(output.finish());
  recorder.write(`pg_restore ended with status ${status}`);
  if (status > 1)
    throw new AgentError(`pg_restore ended with status ${status}; see the import log`);
}

/**
 * When every processor has a job of its own, parallel workers of an index build slow the other jobs: without them a
 * restore on two processors takes a tenth less time. On many processors, parallel builds speed up the last large index.
 */
function indexParameters(kind: Archive["kind"], jobs: number): Readonly<Record<string, string>> {
  return kind !== "tar" && jobs <= 4 ? { max_parallel_maintenance_workers: "0" } : {};
}

/** The sizes of a directory archive's data files by dump id, for progress. */
async function dataFileSizes({
  kind,
  path: folder,
}: Archive): Promise<ReadonlyMap<number, number>> {
  const sizes = new Map<number, number>();
  if (kind !== "directory") return sizes;
  for (const file of await readdir(folder)) {
    const id = /^(\d+)\.dat/.exec(file)?.[1];
    if (id !== undefined) sizes.set(Number(id), (await stat(path.join(folder, file))).size);
  }
  return sizes;
}
