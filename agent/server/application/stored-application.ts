import { rm } from "node:fs/promises";
import path from "node:path";
import {
  applicationRequestSchema,
  type ApplicationRequest,
} from "../../../model/application/protocol";
import type { Observation } from "../../../model/observation/observation";
import { stateFolder, writeStateFile } from "../../system/state-folder";
import { readTextIfExists } from "../../system/atomic-file";
import { healthProblem } from "./health";

const file = "application.json";

/** How long observing a server may wait for its application. */
const healthTimeoutMs = 1000;

/** The application of the server; `undefined` when it has none, or when another version of the agent saved it. */
export async function readApplication(): Promise<ApplicationRequest | undefined> {
  const text = await readTextIfExists(path.join(stateFolder, file));
  if (text === undefined) return undefined;
  try {
    return applicationRequestSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** Saves the application of the server. */
export async function saveApplication(request: ApplicationRequest): Promise<void> {
  await writeStateFile(file, JSON.stringify(request));
}

/** Deletes the saved application of the server. */
export async function deleteApplication(): Promise<void> {
  await rm(path.join(stateFolder, file), { force: true });
}

/** Observes the server's application and its health. */
export async function observeApplication(): Promise<Observation["application"]> {
  const stored = await readApplication();
  if (!stored) return undefined;
  const { revision, url } = stored;
  if (url === undefined) return { revision };
  return { revision, url, problem: (await healthProblem(url, healthTimeoutMs)) ?? null };
}
