import { statfsSync } from "node:fs";
import path from "node:path";
import { formatBytes } from "../../model/base/units";
import { EnvironmentError } from "./errors";
import { stateFolder } from "./state-folder";

/** With less free space than this, the full disk is taken to be why a program failed. */
const fullBelowBytes = 2 ** 20;

/** Adds the fix to an error of a full volume; returns any other error unchanged. */
export function explainDiskFull(error: unknown): unknown {
  const { code, path: file } = (error ?? {}) as NodeJS.ErrnoException;
  if (code !== "ENOSPC" && code !== "EDQUOT") return error;
  return noSpaceError(file === undefined ? stateFolder : path.dirname(file), error);
}

/** The error to throw for a failed program when the agent's volume is full; `undefined` when it is not. */
export function diskFullError(): EnvironmentError | undefined {
  return freeBytes(stateFolder) < fullBelowBytes ? noSpaceError(stateFolder) : undefined;
}

function noSpaceError(folder: string, cause?: unknown): EnvironmentError {
  const free = formatBytes(freeBytes(folder));
  return new EnvironmentError(
    `no space left for the agent's files in ${folder}: ${free} free on its volume; free some space or move the volume to a larger disk, then run the same command again`,
    { cause },
  );
}

function freeBytes(folder: string): number {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
}
