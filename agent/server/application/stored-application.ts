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

/** How long a look at the server may wait for its application. */
const healthTimeoutMs = 1000;

/** Which application the server has; `undefined` while it has none, or where another version of the agent kept it. */
export async function readApplication(): Promise<ApplicationRequest | undefined> {
  const text = await readTextIfExists(path.join(stateFolder, file));
  if (text === undefined) return undefined;
  try {
    return applicationRequestSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** Keeps which application the server has. */
export async function saveApplication(request: ApplicationRequest): Promise<void> {
  await writeStateFile(file, JSON.stringify(request));
}

/** From now on the server has none. */
export async function deleteApplication(): Promise<void> {
  await rm(path.join(stateFolder, file), { force: true });
}

/** Tells of the server's application, and how it is. */
export async function observeApplication(): Promise<Observation["application"]> {
  const kept = await readApplication();
  if (!kept) return undefined;
  const { revision, url } = kept;
  if (url === undefined) return { revision };
  return { revision, url, problem: (await healthProblem(url, healthTimeoutMs)) ?? null };
}
