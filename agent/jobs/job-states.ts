import path from "node:path";
import { stateFolder, writeStateFile } from "../system/state-folder";
import { readTextIfExists } from "../system/atomic-file";
import { jobStatesSchema, type JobStates } from "./scheduler";

const file = "jobs.json";

/** The stored states of the jobs; empty when they cannot be read. */
export async function readJobStates(): Promise<JobStates> {
  const text = await readTextIfExists(path.join(stateFolder, file));
  if (text === undefined) return {};
  try {
    return jobStatesSchema.safeParse(JSON.parse(text)).data ?? {};
  } catch {
    return {};
  }
}

/** Saves the states of the jobs. Only the agent's main process does. */
export async function saveJobStates(states: JobStates): Promise<void> {
  await writeStateFile(file, JSON.stringify(states));
}
