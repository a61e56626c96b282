import { readFile } from "node:fs/promises";
import path from "node:path";
import { z } from "zod";
import { stateFolder, writeStateFile } from "./state-folder";

const stateSchema = z.strictObject({ generation: z.number().int().nonnegative() });

/** Number of successful restores on this server. */
export async function readGeneration(): Promise<number> {
  const text = await readFile(path.join(stateFolder, "state.json"), "utf8").catch(() => undefined);
  return text === undefined ? 0 : stateSchema.parse(JSON.parse(text)).generation;
}

/** Counts one more successful restore. */
export async function incrementGeneration(): Promise<void> {
  const generation = (await readGeneration()) + 1;
  await writeStateFile("state.json", JSON.stringify({ generation }));
}
