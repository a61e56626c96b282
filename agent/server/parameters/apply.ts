import { rm } from "node:fs/promises";
import type { Client } from "pg";
import type { ParametersRequest, ParametersResult } from "../../../model/parameters/protocol";
import { overridingParameters, moveIncludesLast } from "../../../model/parameters/postgresql-conf";
import { renderParameters } from "../../../model/parameters/render";
import { quoteIdentifier as q } from "../../../model/base/sql";
import { AgentError, messageOf } from "../../system/errors";
import { logLine } from "../../system/progress";
import { alterSystemParameters } from "./observe";
import { configFiles } from "./config-files";
import { readTextIfExists, writeFileAtomically } from "../../system/atomic-file";
import { readFileState, newSessionProblem, reloadConfig, type FileState } from "./reload";
import { tryConfigFile } from "./try-config-file";
import { advisoryLocks } from "../../postgres/advisory-locks";

/** Advisory lock that changes of settings hold: one at a time. */
const lock = advisoryLocks.parameters;

/**
 * Puts settings in force as far as a reload can. Nothing is touched before a server of its own has run with them, and
 * whatever fails later puts the former files back.
 */
export async function applyParameters(
  client: Client,
  settings: ParametersRequest["settings"],
): Promise<ParametersResult> {
  await client.query("SELECT pg_advisory_lock($1)", [lock]);
  const wanted = renderParameters(settings);
  const former = await readTextIfExists(configFiles.settings);
  const altered = await alterSystemParameters(client);
  const isNew = wanted !== former;
  if (isNew) {
    const refusal = await tryConfigFile(configFiles.settings, wanted);
    if (refusal !== undefined) throw rejectedError(refusal);
  }
  const formerAltered = await readTextIfExists(configFiles.alterSystem);
  const formerMain = (await readTextIfExists(configFiles.postgresql)) ?? "";
  const behind = overridingParameters(formerMain);
  try {
    if (isNew) await replaceParametersFile(wanted, former);
    if (behind.length > 0)
      await writeFileAtomically(configFiles.postgresql, moveIncludesLast(formerMain));
    for (const name of altered) await client.query(`ALTER SYSTEM RESET ${quoted(name)}`);
    await reloadConfig(client);
    const state = await readFileState(client, configFiles.settings);
    const problem = state.problems.join("; ") || (await newSessionProblem());
    if (problem !== undefined && problem !== "") throw rejectedError(problem);
    await deleteTrialFiles(state);
    const { applied, restart } = state;
    const removed = [...altered, ...behind];
    return { changed: isNew || removed.length > 0, restart, applied, removed };
  } catch (error) {
    if (behind.length > 0) await writeFileAtomically(configFiles.postgresql, formerMain);
    await restoreFiles(client, former, altered.length > 0 ? formerAltered : undefined);
    throw error;
  }
}

/** The settings of the last start are kept until newer ones have been started with. */
async function replaceParametersFile(wanted: string, former: string | undefined): Promise<void> {
  if ((await readTextIfExists(configFiles.before)) === undefined)
    await writeFileAtomically(configFiles.before, former ?? "");
  await writeFileAtomically(configFiles.settings, wanted);
}

/** A change that waits for no restart has been proven by now. */
async function deleteTrialFiles({ restart }: FileState): Promise<void> {
  if (restart.length > 0) return;
  for (const file of [configFiles.before, configFiles.refused, configFiles.startLog])
    await rm(file, { force: true });
}

/** Puts the files back; the reload may have nobody to ask any more. */
async function restoreFiles(
  client: Client,
  former: string | undefined,
  formerAltered: string | undefined,
): Promise<void> {
  if (former === undefined) await rm(configFiles.settings, { force: true });
  else await writeFileAtomically(configFiles.settings, former);
  if (formerAltered !== undefined)
    await writeFileAtomically(configFiles.alterSystem, formerAltered);
  try {
    await reloadConfig(client);
    await deleteTrialFiles(await readFileState(client, configFiles.settings));
  } catch (error) {
    logLine(`the former settings are back, but PostgreSQL was not told: ${messageOf(error)}`);
  }
}

function rejectedError(words: string): AgentError {
  return new AgentError(`PostgreSQL refuses postgres.settings, and the former ones stay: ${words}`);
}

/** Settings of extensions have a dot between two identifiers. */
function quoted(name: string): string {
  return name.split(".").map(q).join(".");
}
