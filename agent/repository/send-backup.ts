import { spawn } from "node:child_process";
import { requireAuthentic } from "./authenticity";
import { missingBackupText } from "./offsite-only";
import { repositoryFolder, listBackupIds } from "./stored-backup";
import { AgentError } from "../system/errors";

/** Writes a backup to stdout as a tar of its folder; the recipient compares it with its manifest. */
export async function sendBackup(id: string): Promise<void> {
  if (!(await listBackupIds()).includes(id)) {
    throw new AgentError(await missingBackupText(id));
  }
  await requireAuthentic(id);
  const tar = spawn("tar", ["-C", repositoryFolder, "-cf", "-", id], {
    stdio: ["ignore", "inherit", "inherit"],
  });
  const status = await new Promise<number | null>((resolve, reject) => {
    tar.on("error", reject);
    tar.on("close", resolve);
  });
  if (status !== 0) throw new AgentError(`backup ${id} cannot be read completely; verify it`);
}
