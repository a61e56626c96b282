import { createWriteStream, type WriteStream } from "node:fs";
import { mkdir, readdir, readFile, rm, stat } from "node:fs/promises";
import path from "node:path";
import { z } from "zod";
import { restoreResultSchema, type RestoreResult } from "../../model/restore/protocol";
import { replaceFile } from "./atomic-file";

/** The agent's volume. */
export const storeFolder = process.env.STAGECRAFT_HOME ?? "/var/lib/stagecraft";

/** Reports and logs kept of each database. */
const keptReports = 50;

const stateSchema = z.strictObject({ generation: z.number().int().nonnegative() });

/** Where a dump received for a database lies: a file, or a folder for pg_dump's directory format. */
export function dumpPath(database: string, sha256: string): string {
  return path.join(dumpFolder(database), sha256);
}

/** Each database has a folder of its own, so that what one forgets another keeps; any name of one is a file name in hexadecimal. */
function dumpFolder(database: string): string {
  return path.join(storeFolder, "dumps", Buffer.from(database).toString("hex"));
}

/** The received dump, or `undefined` when it is not there. */
export async function findDump(
  database: string,
  sha256: string,
): Promise<
  { readonly path: string; readonly isFolder: boolean; readonly bytes: number } | undefined
> {
  const dump = dumpPath(database, sha256);
  const found = await stat(dump).catch(() => undefined);
  if (!found) return undefined;
  const isFolder = found.isDirectory();
  return { path: dump, isFolder, bytes: isFolder ? await folderBytes(dump) : found.size };
}

/** Removes a received dump and what was made of it. */
export async function forgetDump(database: string, sha256: string): Promise<void> {
  const names = await readdir(dumpFolder(database)).catch(() => []);
  await Promise.all(
    names
      .filter((name) => name.startsWith(sha256))
      .map((name) => rm(path.join(dumpFolder(database), name), { recursive: true, force: true })),
  );
}

/** Makes the folder for the next dump of a database, empty: nobody needs the ones before it. */
export async function makeDumpFolder(database: string): Promise<void> {
  await rm(dumpFolder(database), { recursive: true, force: true });
  await mkdir(dumpFolder(database), { recursive: true });
}

/** How many restores have succeeded on this server. */
export async function readGeneration(): Promise<number> {
  const text = await readFile(path.join(storeFolder, "state.json"), "utf8").catch(() => undefined);
  return text === undefined ? 0 : stateSchema.parse(JSON.parse(text)).generation;
}

/** Counts one more successful restore. */
export async function countRestore(): Promise<void> {
  const generation = (await readGeneration()) + 1;
  await writeWhole("state.json", JSON.stringify({ generation }));
}

/** Opens the log of a restore; `name` is its file name. */
export async function openLog(name: string): Promise<WriteStream> {
  await mkdir(path.join(storeFolder, "logs"), { recursive: true });
  return createWriteStream(path.join(storeFolder, "logs", name), { mode: 0o600 });
}

/** A moment as the beginning of a file name; in milliseconds, because restores of two databases may begin in one second. */
export function fileNameOf(moment: string): string {
  return moment.replace(/[-:.]/g, "");
}

/** Keeps the report of a restore. */
export async function keepReport(report: RestoreResult): Promise<void> {
  await mkdir(path.join(storeFolder, "reports"), { recursive: true });
  const name = `${fileNameOf(report.startedAt)}-restore.json`;
  await writeWhole(path.join("reports", name), JSON.stringify(report));
  for (const folder of ["reports", "logs"]) await prune(folder);
}

/** The newest report; `null` when there is none. */
export async function newestReport(): Promise<RestoreResult | null> {
  const [name] = await reportNames();
  return name === undefined ? null : readReport(name);
}

/** The newest reports, newest first; those of another version of the agent that cannot be read are left out. */
export async function newestReports(): Promise<RestoreResult[]> {
  const names = (await reportNames()).slice(0, 10);
  const reports = await Promise.all(
    names.map(async (name) => readReport(name).catch(() => undefined)),
  );
  return reports.filter((report) => report !== undefined);
}

async function reportNames(): Promise<string[]> {
  const names = await readdir(path.join(storeFolder, "reports")).catch(() => []);
  return names
    .filter((file) => file.endsWith(".json"))
    .sort()
    .reverse();
}

async function readReport(name: string): Promise<RestoreResult> {
  const text = await readFile(path.join(storeFolder, "reports", name), "utf8");
  return restoreResultSchema.parse(JSON.parse(text));
}

/** Names of the kept logs, oldest first. */
export async function listLogs(): Promise<string[]> {
  return (await readdir(path.join(storeFolder, "logs")).catch(() => [])).sort();
}

/** Where a kept log lies. */
export function logPath(name: string): string {
  return path.join(storeFolder, "logs", path.basename(name));
}

/** Writes a file of the agent's volume: it is there whole, or as it was. */
export async function writeWhole(name: string, text: string): Promise<void> {
  await replaceFile(path.join(storeFolder, name), text);
}

async function prune(folder: string): Promise<void> {
  const all = (await readdir(path.join(storeFolder, folder)).catch(() => [])).sort();
  const names = all.filter((name) => name.includes("-restore."));
  await Promise.all(
    names
      .slice(0, -keptReports)
      .map((name) => rm(path.join(storeFolder, folder, name), { force: true })),
  );
}

async function folderBytes(folder: string): Promise<number> {
  const names = await readdir(folder);
  const sizes = await Promise.all(
    names.map(async (name) => (await stat(path.join(folder, name))).size),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}
