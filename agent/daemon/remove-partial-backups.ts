import { readdir } from "node:fs/promises";
import type { Client } from "pg";
import type { BackupId } from "../../model/base/names";
import { now } from "../system/clock";
import { tryJobLock, releaseJobLock } from "../jobs/job-lock";
import { removeLeftovers } from "../backup/partial-backup";
import { repositoryFolder } from "../repository/stored-backup";

/** Removes the folders of killed backups, unless a job is running; returns their ids. */
export async function removePartialBackups(client: Client): Promise<BackupId[]> {
  const names = await readdir(repositoryFolder).catch(() => []);
  // Only then take the lock: a job that starts now would wait for it.
  if (!names.some((name) => name.endsWith(".partial"))) return [];
  if (!(await tryJobLock(client))) return [];
  try {
    return await removeLeftovers(now());
  } finally {
    await releaseJobLock(client);
  }
}
