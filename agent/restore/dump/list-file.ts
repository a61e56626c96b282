import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

/** Calls `use` with pg_restore's option for a list of entries; without a list, with no option. */
export async function withListFile<T>(
  list: string | undefined,
  use: (options: readonly string[]) => Promise<T>,
): Promise<T> {
  if (list === undefined) return use([]);
  const folder = await mkdtemp(path.join(tmpdir(), "list-"));
  try {
    const file = path.join(folder, "list");
    await writeFile(file, list);
    return await use([`--use-list=${file}`]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
