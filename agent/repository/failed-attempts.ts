import { mkdir, readdir, rm } from "node:fs/promises";
import path from "node:path";
import { attemptSchema, type Attempt } from "../../model/backup/catalogue";
import { storeFolder, writeWhole } from "../system/store";
import { readText } from "../system/atomic-file";

const folder = "attempts";

/** How many are remembered. */
const most = 100;

/** Keeps what became of an attempt in the agent's own volume, where the volume of the backups cannot take the record. */
export async function keepAside(attempt: Attempt): Promise<void> {
  await mkdir(path.join(storeFolder, folder), { recursive: true });
  await writeWhole(path.join(folder, `${attempt.id}.json`), JSON.stringify(attempt));
  const names = await readdir(path.join(storeFolder, folder));
  for (const name of names.sort().slice(0, -most))
    await rm(path.join(storeFolder, folder, name), { force: true });
}

/** Everything that was kept so. */
export async function readAside(): Promise<Attempt[]> {
  const names = await readdir(path.join(storeFolder, folder)).catch(() => []);
  const texts = names
    .filter((name) => name.endsWith(".json"))
    .map(async (name) => readText(path.join(storeFolder, folder, name)));
  return (await Promise.all(texts)).flatMap((text) => {
    try {
      return attemptSchema.safeParse(JSON.parse(text ?? "")).data ?? [];
    } catch {
      return [];
    }
  });
}
