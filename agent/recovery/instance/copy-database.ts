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
 * Restores a database of the side cluster on the server: a dump of it goes the way of every other, beside what is
 * there, judged, and swapped in at the end. On production it gets a name that no database has.
 */
export async function copyDatabase(request: CopyDatabaseRequest): Promise<RestoreResult> {
  const { server, kind, database, to, replace } = request;
  const side = await requireInstance(server);
  const live = (await withConnection("postgres", listDatabases)).find(({ name }) => name === to);
  if (live && kind === "production") {
    throw new AgentError(
      `database ${to} of ${server} is there, and production's contents are never replaced; name another with --as`,
    );
  }
  if (live && !replace) {
    throw new AgentError(
      `database ${to} of ${server} is there; name another with --as, or say --replace to let the copy take its place`,
    );
  }
  if (!side.databases.some(({ name }) => name === database)) {
    const names = side.databases.map(({ name }) => name).join(", ");
    throw new AgentError(`the side cluster has no database ${database}; it has: ${names}`);
  }
  await ensureInstanceRuns();
  const sha256 = await dump(database, to);
  return restore({
    ...{ server, kind, database: to, roles: "leave out" },
    source: { name: `${database} of ${side.to}`, sha256, server },
    // With the former one's id it stays as it is at the next up; another refresh makes it as the stack says.
    restoreId: live?.stamp?.restoreId ?? `${sha256.slice(0, 12)}-side`,
    mode: live ? "replace" : "when missing",
    keepPrevious: 1,
  });
}

/** Dumps a database of the side cluster to where received dumps lie; its digest. */
async function dump(database: string, to: string): Promise<string> {
  logLine(`dump ${database} from the side cluster …`);
  await createDumpFolder(to);
  const partial = dumpPath(to, "side.partial");
  await mkdir(partial, { mode: 0o700 });
  const complaints: string[] = [];
  const status = await runWithStderrLines(
    "pg_dump",
    [
      ...[
        "--format=directory",
        `--jobs=${Math.min(4, availableParallelism())}`,
        "--compress=zstd:1",
      ],
      ...["--no-password", `--file=${partial}`, `--dbname=${connectionString(database)}`],
    ],
    instanceEnvironment(),
    (line) => complaints.push(line),
  );
  if (status !== 0) {
    await rm(partial, { recursive: true, force: true });
    throw new AgentError(
      `${database} could not be dumped from the side cluster: ${complaints[0] ?? `pg_dump ended with status ${status}`}`,
    );
  }
  const sha256 = await hashFolder(partial);
  await rename(partial, dumpPath(to, sha256));
  return sha256;
}
