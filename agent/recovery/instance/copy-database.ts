import { mkdir, rename, rm } from "node:fs/promises";
import { availableParallelism } from "node:os";
import type { CopyDatabaseRequest } from "../../../model/point-in-time/protocol";
import type { RestoreResult } from "../../../model/restore/protocol";
import { listDatabases } from "../../postgres/databases";
import { AgentError } from "../../system/errors";
import { withConnection } from "../../postgres/connect";
import { connectionString, runWithStderrLines } from "../../postgres/client-programs";
import { logLine } from "../../system/progress";
import { restore } from "../../restore/restore";
import { dumpPath, createDumpFolder } from "../../system/received-dumps";
import { hashFolder } from "../../system/digest";
import { requireInstance, instanceEnvironment } from "./instance";
import { ensureInstanceRuns } from "./postmaster";

/**
 * Copies a database of the recovery instance to the server: dumps it, and restores the dump like any other, into a
 * candidate database that is checked and then swapped in. On production only under an unused name, unless the request confirms
 * the database by its name; the replaced one stays as the previous version.
 */
export async function copyDatabase(request: CopyDatabaseRequest): Promise<RestoreResult> {
  const { server, kind, database, to, replace, confirm } = request;
  const instance = await requireInstance(server);
  const live = (await withConnection("postgres", listDatabases)).find(({ name }) => name === to);
  if (live && kind === "production" && !(replace && confirm === to)) {
    throw new AgentError(
      `database ${to} of ${server} exists, and production's contents are never replaced; choose another name with --as, or, if it is to be replaced nevertheless, add --replace --confirm ${to}`,
    );
  }
  if (live && !replace) {
    throw new AgentError(
      `database ${to} of ${server} exists; choose another name with --as, or use --replace to replace it`,
    );
  }
  if (!instance.databases.some(({ name }) => name === database)) {
    const names = instance.databases.map(({ name }) => name).join(", ");
    throw new AgentError(`the recovery instance has no database ${database}; it has: ${names}`);
  }
  await ensureInstanceRuns();
  const sha256 = await dump(database, to);
  return restore({
    server,
    kind,
    database: to,
    roles: "leave out",
    source: { name: `${database} of ${instance.to}`, sha256, server },
    // With the id of the replaced contents, the next up does not restore again; a later refresh does.
    restoreId: live?.stamp?.restoreId ?? `${sha256.slice(0, 12)}-side`,
    mode: live ? "replace" : "when missing",
    keepPrevious: 1,
  });
}

/** Dumps a database of the recovery instance into the folder of received dumps; returns its SHA-256. */
async function dump(database: string, to: string): Promise<string> {
  logLine(`dump ${database} from the recovery instance …`);
  await createDumpFolder(to);
  const partial = dumpPath(to, "side.partial");
  await mkdir(partial, { mode: 0o700 });
  const errors: string[] = [];
  const status = await runWithStderrLines(
    "pg_dump",
    [
      "--format=directory",
      `--jobs=${Math.min(4, availableParallelism())}`,
      "--compress=zstd:1",
      "--no-password",
      `--file=${partial}`,
      `--dbname=${connectionString(database)}`,
    ],
    instanceEnvironment(),
    (line) => errors.push(line),
  );
  if (status !== 0) {
    await rm(partial, { recursive: true, force: true });
    throw new AgentError(
      `cannot dump ${database} from the recovery instance: ${errors[0] ?? `pg_dump ended with status ${status}`}`,
    );
  }
  const sha256 = await hashFolder(partial);
  await rename(partial, dumpPath(to, sha256));
  return sha256;
}
