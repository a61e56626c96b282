import { mkdir, readFile } from "node:fs/promises";
import path from "node:path";
import { areas, type Area, type Observation } from "../../model/observation/observation";
import { stateFolder, writeStateFile } from "../system/state-folder";

/** Folder with one file per area, because two areas may be applied at the same time. */
const folder = "generations";

/** The generation of each area that was applied last. */
export async function readGenerations(): Promise<Observation["generations"]> {
  const entries = await Promise.all(
    areas.map(async (area) => {
      const file = path.join(stateFolder, folder, area);
      const text = await readFile(file, "utf8").catch(() => undefined);
      return text === undefined ? [] : [[area, Number(text)] as const];
    }),
  );
  return Object.fromEntries(entries.flat());
}

/** Records the generation of an area that was applied. Without one (a verb called manually), it records nothing. */
export async function saveGeneration(area: Area, generation: string | undefined): Promise<void> {
  if (generation === undefined) return;
  await mkdir(path.join(stateFolder, folder), { recursive: true });
  await writeStateFile(path.join(folder, area), generation);
}
