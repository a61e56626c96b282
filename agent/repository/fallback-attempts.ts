import { mkdir, readdir, rm } from "node:fs/promises";
import path from "node:path";
import { attemptSchema, type Attempt } from "../../model/backup/catalogue";
import { stateFolder, writeStateFile } from "../system/state-folder";
import { readTextIfExists } from "../system/atomic-file";

const folder = "attempts";

/** How many attempts are stored. */
const maxAttempts = 100;

/** Saves the result of an attempt in the agent's own volume, for when the backup volume is full or unwritable. */
export async function saveFallbackAttempt(attempt: Attempt): Promise<void> {
  await mkdir(path.join(stateFolder, folder), { recursive: true });
  await writeStateFile(path.join(folder, `${attempt.id}.json`), JSON.stringify(attempt));
  const names = await readdir(path.join(stateFolder, folder));
  for (const name of names.sort().slice(0, -maxAttempts))
    await rm(path.join(stateFolder, folder, name), { force: true });
}

/** Attempts saved by {@link saveFallbackAttempt}. */
export async function readFallbackAttempts(): Promise<Attempt[]> {
  const names = await readdir(path.join(stateFolder, folder)).catch(() => []);
  const texts = names
    .filter((name) => name.endsWith(".json"))
    .map(async (name) => readTextIfExists(path.join(stateFolder, folder, name)));
  return (await Promise.all(texts)).flatMap((text) => {
    try {
      return attemptSchema.safeParse(JSON.parse(text ?? "")).data ?? [];
    } catch {
      return [];
    }
  });
}
