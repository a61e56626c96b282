import { readdir, stat } from "node:fs/promises";
import path from "node:path";
import { textDecoder } from "../../../model/dump/text-encoding";
import {
  PgRestoreOutputReader,
  type RestoreOutput,
} from "../../../model/import-log/pg-restore-output";
import { AgentError } from "../../system/errors";
import { sessionOptions } from "../../postgres/connect";
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
import { type Archive } from "../dump/read-archive";

interface ArchiveOptions {
  /** Parallel jobs of pg_restore. */
  readonly jobs: number;
  readonly masked: boolean;
  readonly keepOwners: boolean;
  /** Encoding of the archive's text. */
  readonly encoding: string;
}

/** The archive as a plain dump. */
export function archiveScript({ path: file }: Archive): AsyncIterable<Buffer> {
  return streamOutput("pg_restore", ["--file=-", file], clientEnvironment(sessionOptions()));
}

/** Restores an archive without its grants with pg_restore, in parallel if its format allows. */
export async function restoreArchive(
  archive: Archive,
  database: string,
  recorder: Recorder,
  progress: Progress,
  { jobs, masked, keepOwners, encoding }: ArchiveOptions,
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
  const args = [
    `--dbname=${connectionString(database)}`,
    "--verbose",
    "--no-acl",
    ...(keepOwners ? [] : ["--no-owner"]),
    // A tar archive can only be read sequentially.
    ...(kind === "tar" ? [] : [`--jobs=${jobs}`]),
    archive.path,
  ];
  const environment = clientEnvironment(
    sessionOptions({ ...restoreSession(masked), ...indexParameters(kind, jobs) }),
  );
  const run = async (): Promise<number> =>
    runWithStderrLines(
      "pg_restore",
      args,
      environment,
      (line) => {
        record(output.push(line.replaceAll(archive.path, archive.name)));
      },
      textDecoder(encoding),
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
