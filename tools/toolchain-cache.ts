import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { cacheFolder } from "./folders";
import { makeWhole } from "./partial";

/** What was built on this machine before, by what it was built from. */
interface Built {
  readonly folder: string;
  /** Shown to a person: where it came from. */
  readonly origin: "from cache" | "built from source";
}

/** The folder that `build` fills, from the user's cache when the same sources were built before. */
export async function cached(
  name: string,
  hash: string,
  build: (folder: string) => Promise<void>,
): Promise<Built> {
  const folder = join(cacheFolder(), "toolchain", `${name}-${hash}`);
  if (existsSync(folder)) return { folder, origin: "from cache" };
  await makeWhole(folder, async (partial) => {
    await mkdir(partial, { recursive: true });
    await build(partial);
  });
  return { folder, origin: "built from source" };
}
