import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { cacheFolder } from "./folders";
import { ensurePrivateFolder } from "./private-folder";
import { createAtomically } from "./atomic-file";

/** A build result. */
interface Built {
  readonly folder: string;
  /** Origin, as shown to the user. */
  readonly origin: "from cache" | "built from source";
}

/** Runs `build` to fill a folder of the user's cache, unless the same sources were built before. */
export async function buildCached(
  name: string,
  hash: string,
  build: (folder: string) => Promise<void>,
): Promise<Built> {
  const folder = join(ensurePrivateFolder(cacheFolder()), "toolchain", `${name}-${hash}`);
  if (existsSync(folder)) return { folder, origin: "from cache" };
  await createAtomically(folder, async (partial) => {
    await mkdir(partial, { recursive: true });
    await build(partial);
  });
  return { folder, origin: "built from source" };
}
