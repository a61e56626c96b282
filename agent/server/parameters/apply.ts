import { rm } from "node:fs/promises";
import type { Client } from "pg";
import type { SettingsRequest, SettingsResult } from "../../../model/parameters/protocol";
import { settingsBehind, withIncludesLast } from "../../../model/parameters/postgresql-conf";
import { renderSettings } from "../../../model/parameters/render";
import { quoteIdentifier as q } from "../../../model/base/sql";
import { AgentError, messageOf } from "../../system/errors";
import { say } from "../../system/progress";
import { alteredSettings } from "./observe";
import { files } from "./included-file";
import { readText, replaceFile } from "../../system/atomic-file";
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
  settings: SettingsRequest["settings"],
): Promise<SettingsResult> {
  await client.query("SELECT pg_advisory_lock($1)", [lock]);
  const wanted = renderSettings(settings);
  const former = await readText(files.settings);
  const altered = await alteredSettings(client);
  const isNew = wanted !== former;
  if (isNew) {
    const refusal = await tryOut(files.settings, wanted);
    if (refusal !== undefined) throw refused(refusal);
  }
  const formerAltered = await readText(files.alterSystem);
  const formerMain = (await readText(files.postgresql)) ?? "";
  const behind = settingsBehind(formerMain);
  try {
    if (isNew) await putInPlace(wanted, former);
    if (behind.length > 0) await replaceFile(files.postgresql, withIncludesLast(formerMain));
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
    if (behind.length > 0) await replaceFile(files.postgresql, formerMain);
    await putBack(client, former, altered.length > 0 ? formerAltered : undefined);
    throw error;
  }
}

/** The settings of the last start are kept until newer ones have been started with. */
async function putInPlace(wanted: string, former: string | undefined): Promise<void> {
  if ((await readText(files.before)) === undefined) await replaceFile(files.before, former ?? "");
  await replaceFile(files.settings, wanted);
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
  else await replaceFile(files.settings, former);
  if (formerAltered !== undefined) await replaceFile(files.alterSystem, formerAltered);
  try {
    await reload(client);
    await tidy(await fileState(client, files.settings));
  } catch (error) {
    say(`the former settings are back, but PostgreSQL was not told: ${messageOf(error)}`);
  }
}

function refused(words: string): AgentError {
  return new AgentError(`PostgreSQL refuses postgres.settings, and the former ones stay: ${words}`);
}

/** Settings of extensions have a dot between two identifiers. */
function quoted(name: string): string {
  return name.split(".").map(q).join(".");
}
