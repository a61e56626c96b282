import { rm, stat } from "node:fs/promises";
import { now } from "../../system/clock";
import { readTextIfExists } from "../../system/atomic-file";
import { readInstance, processIdentity, instanceFiles, instanceFolder } from "./instance";
import { stopInstance } from "./postmaster";

/** Removes the recovery instance, complete or not; returns whether there was one. */
export async function removeInstance(): Promise<boolean> {
  if (!(await stat(instanceFolder).catch(() => undefined))) return false;
  // If the removal is interrupted, the instance counts as incomplete.
  await rm(instanceFiles.facts, { force: true });
  await stopInstance();
  await rm(instanceFolder, { recursive: true, force: true });
  return true;
}

/** Removes an expired recovery instance, or one whose creation was interrupted; returns the reason, for the log. */
export async function removeExpiredInstance(): Promise<string | undefined> {
  const found = await stat(instanceFolder).catch(() => undefined);
  if (!found) return undefined;
  const instance = await readInstance();
  if (instance) {
    if (new Date(instance.removedAt) > now()) return undefined;
    await removeInstance();
    return `removed the recovery instance of ${instance.to}, which expired`;
  }
  if (await isBeingCreated(found.mtimeMs)) return undefined;
  await removeInstance();
  return "removed a recovery instance whose creation was interrupted";
}

/**
 * Whether the process that creates the instance is still running.
 *
 * @param createdAt when the folder was created, in milliseconds since the epoch; a new one may lack the process's identity
 */
export async function isBeingCreated(createdAt: number): Promise<boolean> {
  const identity = await readTextIfExists(instanceFiles.maker);
  if (identity === undefined) return Date.now() - createdAt < 10_000;
  return identity === (await processIdentity(Number(identity.split(" ")[0])));
}
