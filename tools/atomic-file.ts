import { randomBytes } from "node:crypto";
import { chmodSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";

/**
 * Creates a file or folder under a temporary name and renames it once it is complete, so that an interruption never
 * leaves a partial one.
 */
export async function createAtomically(
  path: string,
  create: (partial: string) => Promise<void>,
): Promise<void> {
  const partial = `${path}.${randomBytes(4).toString("hex")}.partial`;
  await mkdir(dirname(path), { recursive: true });
  try {
    await create(partial);
    await rm(path, { recursive: true, force: true });
    await rename(partial, path);
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}

/** Like {@link createAtomically}, for an executable file. */
export async function createExecutable(
  path: string,
  create: (partial: string) => Promise<void>,
): Promise<void> {
  await createAtomically(path, async (partial) => {
    await create(partial);
    chmodSync(partial, 0o755);
  });
}
