import path from "node:path";
import { stateFolder, writeStateFile } from "../system/state-folder";
import { readTextIfExists } from "../system/atomic-file";
import { jobStatesSchema, type JobStates } from "./scheduler";

const file = "jobs.json";

/** What is remembered of the jobs; nothing where it cannot be read. */
export async function readJobStates(): Promise<JobStates> {
  const text = await readTextIfExists(path.join(stateFolder, file));
  if (text === undefined) return {};
  try {
    return jobStatesSchema.safeParse(JSON.parse(text)).data ?? {};
  } catch {
    return {};
  }
}

/** Remembers it. Only the agent's main process does. */
export async function saveJobStates(states: JobStates): Promise<void> {
  await writeStateFile(file, JSON.stringify(states));
}
