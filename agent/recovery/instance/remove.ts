import { rm, stat } from "node:fs/promises";
import { now } from "../../system/clock";
import { readTextIfExists } from "../../system/atomic-file";
import { keptSide, processMark, sideFiles, sideFolder } from "./instance";
import { stopSide } from "./postmaster";

/** Removes the side cluster, done or not; whether there was one. */
export async function removeSide(): Promise<boolean> {
  if (!(await stat(sideFolder).catch(() => undefined))) return false;
  // From here on it is not done, should this be interrupted.
  await rm(sideFiles.facts, { force: true });
  await stopSide();
  await rm(sideFolder, { recursive: true, force: true });
  return true;
}

/** Removes a side cluster whose time is over, or that nobody is making any more; why. */
export async function tidySide(): Promise<string | undefined> {
  const found = await stat(sideFolder).catch(() => undefined);
  if (!found) return undefined;
  const side = await keptSide();
  if (side) {
    if (new Date(side.removedAt) > now()) return undefined;
    await removeSide();
    return `removed the side cluster of ${side.to}, whose time was over`;
  }
  if (await isBeingMade(found.mtimeMs)) return undefined;
  await removeSide();
  return "removed a side cluster whose making was interrupted";
}

/** Whether the process that makes it is still there; it may be so new that it has not left its mark yet. */
export async function isBeingMade(madeAt: number): Promise<boolean> {
  const mark = await readTextIfExists(sideFiles.maker);
  if (mark === undefined) return Date.now() - madeAt < 10_000;
  return mark === (await processMark(Number(mark.split(" ")[0])));
}
