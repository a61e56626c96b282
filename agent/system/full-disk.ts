import { statfsSync } from "node:fs";
import path from "node:path";
import { formatBytes } from "../../model/base/units";
import { CircumstanceError } from "./errors";
import { storeFolder } from "./store";

/** Where so little is left, a program that failed has failed for it. */
const hardlyAnything = 2 ** 20;

/** Tells an error of a volume that is full with what to do; any other one is given back as it is. */
export function toldIfFull(error: unknown): unknown {
  const { code, path: file } = (error ?? {}) as NodeJS.ErrnoException;
  if (code !== "ENOSPC" && code !== "EDQUOT") return error;
  return fullError(file === undefined ? storeFolder : path.dirname(file), error);
}

/** The error to throw for a program that failed, when the agent's volume is full; otherwise `undefined`. */
export function errorIfFull(): CircumstanceError | undefined {
  return freeBytes(storeFolder) < hardlyAnything ? fullError(storeFolder) : undefined;
}

function fullError(folder: string, cause?: unknown): CircumstanceError {
  const left = formatBytes(freeBytes(folder));
  return new CircumstanceError(
    `there is no room left for the agent's files in ${folder}: ${left} are free on its volume; free some space or move it to a larger disk, then run the same command again`,
    { cause },
  );
}

function freeBytes(folder: string): number {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
}
