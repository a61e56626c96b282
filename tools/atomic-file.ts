import { randomBytes } from "node:crypto";
import { chmodSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";

/**
 * Makes a file or folder under a temporary name and moves it to its place when it is whole, so that
 * nothing half-made is ever found there, whenever we are interrupted.
 */
export async function createAtomically(
  path: string,
  make: (partial: string) => Promise<void>,
): Promise<void> {
  const partial = `${path}.${randomBytes(4).toString("hex")}.partial`;
  await mkdir(dirname(path), { recursive: true });
  try {
    await make(partial);
    await rm(path, { recursive: true, force: true });
    await rename(partial, path);
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}

/** As {@link createAtomically}, for a file that may be executed. */
export async function createExecutable(
  path: string,
  make: (partial: string) => Promise<void>,
): Promise<void> {
  await createAtomically(path, async (partial) => {
    await make(partial);
    chmodSync(partial, 0o755);
  });
}
