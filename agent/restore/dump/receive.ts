import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { z } from "zod";
import { databaseNameSchema } from "../../../model/base/database-name";
import { sha256Schema } from "../../../model/base/sha256";
import { listDatabases } from "../../postgres/databases";
import { hashFolder } from "../../system/digest";
import { fsyncPath } from "../../system/fsync";
import { AgentError } from "../../system/errors";
import { diskFullError, explainDiskFull } from "../../system/full-disk";
import { waitForPostgres, withConnection } from "../../postgres/connect";
import { withOwnDatabase } from "../../postgres/own-database";
import { runWithInput } from "../../postgres/client-programs";
import { waitForDatabaseLock } from "../database-lock";
import { dumpPath, findDump, createDumpFolder } from "../../system/received-dumps";

/** Arguments of `receive`. */
export const receiveSchema = z.strictObject({
  sha256: sha256Schema,
  database: databaseNameSchema,
  mode: z.enum(["replace", "when-missing"]),
  /** stdin is a tar of a directory-format dump. */
  folder: z.literal("--folder").optional(),
});
type Receive = z.infer<typeof receiveSchema>;

/** Receives a dump from stdin into the agent's volume, unless it is not needed there, and checks its SHA-256. */
export async function receive(request: Receive): Promise<void> {
  if (await isNotNeeded(request)) return;
  // Another call may be receiving or restoring a dump in the folder, which is emptied for this one.
  await withOwnDatabase(async (client) => {
    await waitForDatabaseLock(client, request.database);
    if (!(await isNotNeeded(request))) await receiveDump(request);
  });
}

async function receiveDump({ sha256, database, folder }: Receive): Promise<void> {
  await createDumpFolder(database);
  const partial = `${dumpPath(database, sha256)}.partial`;
  try {
    const received =
      folder === undefined ? await receiveFile(partial) : await receiveFolder(partial);
    if (received !== sha256) {
      throw new AgentError(
        `the dump did not arrive complete: its SHA-256 is ${received}, expected ${sha256}; run pulumi up again`,
      );
    }
    await rename(partial, dumpPath(database, sha256));
  } catch (error) {
    await rm(partial, { recursive: true, force: true });
    throw explainDiskFull(error);
  }
}

async function isNotNeeded({ sha256, database, mode }: Receive): Promise<boolean> {
  if (await findDump(database, sha256)) return true;
  await waitForPostgres(60);
  const live = (await withConnection("postgres", listDatabases)).find(
    ({ name }) => name === database,
  );
  return live !== undefined && (mode === "when-missing" || live.stamp?.source.sha256 === sha256);
}

async function receiveFile(target: string): Promise<string> {
  const hash = createHash("sha256");
  process.stdin.on("data", (chunk: Buffer) => hash.update(chunk));
  await pipeline(process.stdin, createWriteStream(target, { mode: 0o600 }));
  await fsyncPath(target);
  return hash.digest("hex");
}

async function receiveFolder(target: string): Promise<string> {
  await mkdir(target, { recursive: true, mode: 0o700 });
  const status = await runWithInput(
    "tar",
    ["-xf", "-", "--no-same-owner", "-C", target],
    process.stdin,
  );
  if (status !== 0)
    throw (
      diskFullError() ??
      new AgentError("the dump did not arrive complete: the tar was cut short; run pulumi up again")
    );
  return hashFolder(target);
}
