import path from "node:path";
import { storeFolder, writeWhole } from "../system/store";
import { readText } from "../system/atomic-file";
import { jobStatesSchema, type JobStates } from "./scheduler";

const file = "jobs.json";

/** What is remembered of the jobs; nothing where it cannot be read. */
export async function readJobStates(): Promise<JobStates> {
  const text = await readText(path.join(storeFolder, file));
  if (text === undefined) return {};
  try {
    return jobStatesSchema.safeParse(JSON.parse(text)).data ?? {};
  } catch {
    return {};
  }
}

/** Remembers it. Only the agent's main process does. */
export async function keepJobStates(states: JobStates): Promise<void> {
  await writeWhole(file, JSON.stringify(states));
}
