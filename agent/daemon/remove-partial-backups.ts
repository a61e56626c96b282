import { readdir } from "node:fs/promises";
import type { Client } from "pg";
import type { BackupId } from "../../model/base/names";
import { now } from "../system/clock";
import { tryJobLock, releaseJobLock } from "../jobs/job-lock";
import { removeLeftovers } from "../backup/partial-backup";
import { repositoryFolder } from "../repository/repository";

/** Removes what backups that were killed left behind, unless one is being made now; their ids. */
export async function removePartialBackups(client: Client): Promise<BackupId[]> {
  const names = await readdir(repositoryFolder).catch(() => []);
  // Otherwise whoever begins a job just now would have to wait for nothing.
  if (!names.some((name) => name.endsWith(".partial"))) return [];
  if (!(await tryJobLock(client))) return [];
  try {
    return await removeLeftovers(now());
  } finally {
    await releaseJobLock(client);
  }
}
