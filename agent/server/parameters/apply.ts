import type { Client } from "pg";
import type { ParametersRequest, ParametersResult } from "../../../model/parameters/protocol";
import { overridingParameters, moveIncludesLast } from "../../../model/parameters/postgresql-conf";
import { renderParameters } from "../../../model/parameters/render";
import { quoteParameter } from "../../../model/base/sql";
import { AgentError, messageOf } from "../../system/errors";
import { logLine } from "../../system/progress";
import { alterSystemParameters } from "./observe";
import { configFiles } from "./config-files";
import { readTextIfExists, writeFileAtomically } from "../../system/atomic-file";
import { removeFile } from "../../system/real-folder";
import { readFileState, newSessionProblem, reloadConfig, type FileState } from "./reload";
import { tryConfigFile } from "./try-config-file";
import { advisoryLocks } from "../../postgres/advisory-locks";
import { waitForLock } from "../../postgres/locks";

/** Advisory lock that serialises changes of parameters. */
const lock = advisoryLocks.parameters;

/**
 * Applies parameters as far as a reload can. First a scratch server is started with them; only then files are changed,
 * and any later failure restores the previous files.
 */
export async function applyParameters(
  client: Client,
  settings: ParametersRequest["settings"],
): Promise<ParametersResult> {
  await waitForLock(client, lock, { holder: "another change of parameters" });
  const desired = renderParameters(settings);
  const previous = await readTextIfExists(configFiles.parameters);
  const altered = await alterSystemParameters(client);
  const isNew = desired !== previous;
  if (isNew) {
    const problem = await tryConfigFile(configFiles.parameters, desired);
    if (problem !== undefined) throw rejectedError(problem);
  }
  const previousAlterSystem = await readTextIfExists(configFiles.alterSystem);
  const previousMain = (await readTextIfExists(configFiles.postgresql)) ?? "";
  const overriding = overridingParameters(previousMain);
  try {
    if (isNew) await replaceParametersFile(desired, previous);
    if (overriding.length > 0)
      await writeFileAtomically(configFiles.postgresql, moveIncludesLast(previousMain));
    for (const name of altered) await client.query(`ALTER SYSTEM RESET ${quoteParameter(name)}`);
    await reloadConfig(client);
    const state = await readFileState(client, configFiles.parameters);
    const problem = state.problems.join("; ") || (await newSessionProblem());
    if (problem !== undefined && problem !== "") throw rejectedError(problem);
    await deleteTrialFiles(state);
    const { applied, restart } = state;
    const removed = [...altered, ...overriding];
    return { changed: isNew || removed.length > 0, restart, applied, removed };
  } catch (error) {
    if (overriding.length > 0) await writeFileAtomically(configFiles.postgresql, previousMain);
    await restoreFiles(client, previous, altered.length > 0 ? previousAlterSystem : undefined);
    throw error;
  }
}

/** Replaces the file; the parameters of the last start stay in a second file until PostgreSQL has started with the new ones. */
async function replaceParametersFile(desired: string, previous: string | undefined): Promise<void> {
  if ((await readTextIfExists(configFiles.previous)) === undefined)
    await writeFileAtomically(configFiles.previous, previous ?? "");
  await writeFileAtomically(configFiles.parameters, desired);
}

/** Deletes the previous parameters when no restart is pending: a reload has proven the new ones. */
async function deleteTrialFiles({ restart }: FileState): Promise<void> {
  if (restart.length > 0) return;
  for (const file of [configFiles.previous, configFiles.rejected, configFiles.startLog])
    await removeFile(file);
}

/** Restores the previous files and reloads; PostgreSQL may be gone by then. */
async function restoreFiles(
  client: Client,
  previous: string | undefined,
  previousAlterSystem: string | undefined,
): Promise<void> {
  if (previous === undefined) await removeFile(configFiles.parameters);
  else await writeFileAtomically(configFiles.parameters, previous);
  if (previousAlterSystem !== undefined)
    await writeFileAtomically(configFiles.alterSystem, previousAlterSystem);
  try {
    await reloadConfig(client);
    await deleteTrialFiles(await readFileState(client, configFiles.parameters));
  } catch (error) {
    logLine(
      `the previous parameters are restored, but PostgreSQL has not reloaded them: ${messageOf(error)}`,
    );
  }
}

function rejectedError(problem: string): AgentError {
  return new AgentError(
    `PostgreSQL rejects postgres.settings; the previous parameters stay in effect: ${problem}`,
  );
}
