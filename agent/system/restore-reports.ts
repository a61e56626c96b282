import { createWriteStream, type WriteStream } from "node:fs";
import { mkdir, readdir, readFile, rm } from "node:fs/promises";
import path from "node:path";
import { restoreResultSchema, type RestoreResult } from "../../model/restore/protocol";
import { stateFolder, writeStateFile } from "./state-folder";

/** Number of restore reports, of restore logs, and of logs of skipped rows that are retained. */
const maxReports = 50;

/** Opens the log of a restore for writing; `name` is its file name. */
export async function createRestoreLog(name: string): Promise<WriteStream> {
  await mkdir(path.join(stateFolder, "logs"), { recursive: true });
  return createWriteStream(path.join(stateFolder, "logs", name), { mode: 0o600 });
}

/** Start of a file name for a timestamp; with milliseconds, because two databases may be restored in the same second. */
export function fileTimestamp(timestamp: string): string {
  return timestamp.replace(/[-:.]/g, "");
}

/** Saves the report of a restore, and deletes the oldest reports and logs. */
export async function saveReport(report: RestoreResult): Promise<void> {
  await mkdir(path.join(stateFolder, "reports"), { recursive: true });
  const name = `${fileTimestamp(report.startedAt)}-restore.json`;
  await writeStateFile(path.join("reports", name), JSON.stringify(report));
  await deleteOldest("reports", "-restore.");
  for (const kind of ["-restore.", "-keep."]) await deleteOldest("logs", kind);
}

/** The latest report; `null` when there is none. */
export async function latestReport(): Promise<RestoreResult | null> {
  const [name] = await reportNames();
  return name === undefined ? null : readReport(name);
}

/** The ten latest reports, newest first, without those of other agent versions that cannot be parsed. */
export async function latestReports(): Promise<RestoreResult[]> {
  const names = (await reportNames()).slice(0, 10);
  const reports = await Promise.all(
    names.map(async (name) => readReport(name).catch(() => undefined)),
  );
  return reports.filter((report) => report !== undefined);
}

async function reportNames(): Promise<string[]> {
  const names = await readdir(path.join(stateFolder, "reports")).catch(() => []);
  return names
    .filter((file) => file.endsWith(".json"))
    .sort()
    .reverse();
}

async function readReport(name: string): Promise<RestoreResult> {
  const text = await readFile(path.join(stateFolder, "reports", name), "utf8");
  return restoreResultSchema.parse(JSON.parse(text));
}

/** File names of the logs, oldest first. */
export async function listLogs(): Promise<string[]> {
  return (await readdir(path.join(stateFolder, "logs")).catch(() => [])).sort();
}

/** Path of a log. */
export function logPath(name: string): string {
  return path.join(stateFolder, "logs", path.basename(name));
}

async function deleteOldest(folder: string, kind: string): Promise<void> {
  const all = (await readdir(path.join(stateFolder, folder)).catch(() => [])).sort();
  const names = all.filter((name) => name.includes(kind));
  await Promise.all(
    names
      .slice(0, -maxReports)
      .map((name) => rm(path.join(stateFolder, folder, name), { force: true })),
  );
}
