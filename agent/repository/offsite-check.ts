import path from "node:path";
import { z } from "zod";
import { stateFolder, writeStateFile } from "../system/state-folder";
import { readTextIfExists } from "../system/atomic-file";

const file = "offsite-check.json";

const checkSchema = z.strictObject({
  /** rclone remote and path that was tried. */
  remote: z.string(),
  /** Why it cannot be used; `null` if it can. */
  problem: z.string().nullable(),
});

/** Saves whether the off-site remote could be reached when the schedule was applied. */
export async function saveOffsiteCheck(check: z.infer<typeof checkSchema>): Promise<void> {
  await writeStateFile(file, JSON.stringify(check));
}

/** Why the remote could not be reached when the schedule was applied; `null` if it could, or was not tried. */
export async function readOffsiteProblem(remote: string): Promise<string | null> {
  const text = await readTextIfExists(path.join(stateFolder, file)).catch(() => undefined);
  try {
    const check = checkSchema.parse(JSON.parse(text ?? ""));
    return check.remote === remote ? check.problem : null;
  } catch {
    return null;
  }
}
