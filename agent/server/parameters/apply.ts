import { rm } from "node:fs/promises";
import type { Client } from "pg";
import type { ParametersRequest, ParametersResult } from "../../../model/parameters/protocol";
import { overridingParameters, moveIncludesLast } from "../../../model/parameters/postgresql-conf";
import { renderParameters } from "../../../model/parameters/render";
import { quoteIdentifier as q } from "../../../model/base/sql";
import { AgentError, messageOf } from "../../system/errors";
import { logLine } from "../../system/progress";
import { alteredSettings } from "./observe";
import { files } from "./included-file";
import { readTextIfExists, writeFileAtomically } from "../../system/atomic-file";
import { fileState, newSessionProblem, reload, type FileState } from "./reload";
import { tryOut } from "./trial";
import { advisoryLocks } from "../../postgres/advisory-locks";

/** Advisory lock that changes of settings hold: one at a time. */
const lock = advisoryLocks.settings;

/**
 * Puts settings in force as far as a reload can. Nothing is touched before a server of its own has run with them, and
 * whatever fails later puts the former files back.
 */
export async function applySettings(
  client: Client,
  settings: ParametersRequest["settings"],
): Promise<ParametersResult> {
  await client.query("SELECT pg_advisory_lock($1)", [lock]);
  const wanted = renderParameters(settings);
  const former = await readTextIfExists(files.settings);
  const altered = await alteredSettings(client);
  const isNew = wanted !== former;
  if (isNew) {
    const refusal = await tryOut(files.settings, wanted);
    if (refusal !== undefined) throw refused(refusal);
  }
  const formerAltered = await readTextIfExists(files.alterSystem);
  const formerMain = (await readTextIfExists(files.postgresql)) ?? "";
  const behind = overridingParameters(formerMain);
  try {
    if (isNew) await putInPlace(wanted, former);
    if (behind.length > 0)
      await writeFileAtomically(files.postgresql, moveIncludesLast(formerMain));
    for (const name of altered) await client.query(`ALTER SYSTEM RESET ${quoted(name)}`);
    await reload(client);
    const state = await fileState(client, files.settings);
    const problem = state.problems.join("; ") || (await newSessionProblem());
    if (problem !== undefined && problem !== "") throw refused(problem);
    await tidy(state);
    const { applied, restart } = state;
    const removed = [...altered, ...behind];
    return { changed: isNew || removed.length > 0, restart, applied, removed };
  } catch (error) {
    if (behind.length > 0) await writeFileAtomically(files.postgresql, formerMain);
    await putBack(client, former, altered.length > 0 ? formerAltered : undefined);
    throw error;
  }
}

/** The settings of the last start are kept until newer ones have been started with. */
async function putInPlace(wanted: string, former: string | undefined): Promise<void> {
  if ((await readTextIfExists(files.before)) === undefined)
    await writeFileAtomically(files.before, former ?? "");
  await writeFileAtomically(files.settings, wanted);
}

/** A change that waits for no restart has been proven by now. */
async function tidy({ restart }: FileState): Promise<void> {
  if (restart.length > 0) return;
  for (const file of [files.before, files.refused, files.startLog]) await rm(file, { force: true });
}

/** Puts the files back; the reload may have nobody to ask any more. */
async function putBack(
  client: Client,
  former: string | undefined,
  formerAltered: string | undefined,
): Promise<void> {
  if (former === undefined) await rm(files.settings, { force: true });
  else await writeFileAtomically(files.settings, former);
  if (formerAltered !== undefined) await writeFileAtomically(files.alterSystem, formerAltered);
  try {
    await reload(client);
    await tidy(await fileState(client, files.settings));
  } catch (error) {
    logLine(`the former settings are back, but PostgreSQL was not told: ${messageOf(error)}`);
  }
}

function refused(words: string): AgentError {
  return new AgentError(`PostgreSQL refuses postgres.settings, and the former ones stay: ${words}`);
}

/** Settings of extensions have a dot between two identifiers. */
function quoted(name: string): string {
  return name.split(".").map(q).join(".");
}
