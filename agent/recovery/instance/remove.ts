import { rm, stat } from "node:fs/promises";
import { now } from "../../system/clock";
import { readTextIfExists } from "../../system/atomic-file";
import { readInstance, processIdentity, instanceFiles, instanceFolder } from "./instance";
import { stopInstance } from "./postmaster";

/** Removes the side cluster, done or not; whether there was one. */
export async function removeInstance(): Promise<boolean> {
  if (!(await stat(instanceFolder).catch(() => undefined))) return false;
  // From here on it is not done, should this be interrupted.
  await rm(instanceFiles.facts, { force: true });
  await stopInstance();
  await rm(instanceFolder, { recursive: true, force: true });
  return true;
}

/** Removes a side cluster whose time is over, or that nobody is making any more; why. */
export async function removeExpiredInstance(): Promise<string | undefined> {
  const found = await stat(instanceFolder).catch(() => undefined);
  if (!found) return undefined;
  const side = await readInstance();
  if (side) {
    if (new Date(side.removedAt) > now()) return undefined;
    await removeInstance();
    return `removed the side cluster of ${side.to}, whose time was over`;
  }
  if (await isBeingCreated(found.mtimeMs)) return undefined;
  await removeInstance();
  return "removed a side cluster whose making was interrupted";
}

/** Whether the process that makes it is still there; it may be so new that it has not left its mark yet. */
export async function isBeingCreated(madeAt: number): Promise<boolean> {
  const mark = await readTextIfExists(instanceFiles.maker);
  if (mark === undefined) return Date.now() - madeAt < 10_000;
  return mark === (await processIdentity(Number(mark.split(" ")[0])));
}
