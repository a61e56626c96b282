import { statfsSync } from "node:fs";
import path from "node:path";
import { formatBytes } from "../../model/base/units";
import { EnvironmentError } from "./errors";
import { stateFolder } from "./state-folder";

/** Where so little is left, a program that failed has failed for it. */
const fullBelowBytes = 2 ** 20;

/** Tells an error of a volume that is full with what to do; any other one is given back as it is. */
export function explainDiskFull(error: unknown): unknown {
  const { code, path: file } = (error ?? {}) as NodeJS.ErrnoException;
  if (code !== "ENOSPC" && code !== "EDQUOT") return error;
  return noSpaceError(file === undefined ? stateFolder : path.dirname(file), error);
}

/** The error to throw for a program that failed, when the agent's volume is full; otherwise `undefined`. */
export function diskFullError(): EnvironmentError | undefined {
  return freeBytes(stateFolder) < fullBelowBytes ? noSpaceError(stateFolder) : undefined;
}

function noSpaceError(folder: string, cause?: unknown): EnvironmentError {
  const left = formatBytes(freeBytes(folder));
  return new EnvironmentError(
    `there is no room left for the agent's files in ${folder}: ${left} are free on its volume; free some space or move it to a larger disk, then run the same command again`,
    { cause },
  );
}

function freeBytes(folder: string): number {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
}
