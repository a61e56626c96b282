import { mkdir } from "node:fs/promises";
import {
  archiveFiles,
  archiveStateSchema,
  type ArchiveState,
  type ArchivingPeriod,
} from "../../../model/point-in-time/archive-repository";
import { archiveConfigSchema, type ArchiveConfig } from "../../../model/point-in-time/protocol";
import { AgentError, messageOf } from "../../system/errors";
import { readTextIfExists, writeFileAtomically } from "../../system/atomic-file";

/** Whose archive it is, and when what was archived; `undefined` for an archive that nobody has used yet. */
export async function readArchiveState(): Promise<ArchiveState | undefined> {
  const text = await readTextIfExists(archiveFiles.state);
  if (text === undefined) return undefined;
  try {
    return archiveStateSchema.parse(JSON.parse(text));
  } catch (error) {
    throw new AgentError(
      `${archiveFiles.state} cannot be read (${messageOf(error)}); the archive beside it is untouched: move the file away and run pulumi up again, which begins a new time that can be recovered`,
      { cause: error },
    );
  }
}

/** Why this server may not touch the archive; `undefined` when it may. */
export function ownerProblem(state: ArchiveState | undefined, server: string): string | undefined {
  if (!state || state.server === server) return undefined;
  return `the archive volume belongs to server ${state.server}, this is ${server}, which never writes into another's archive; give ${server} an empty archive volume`;
}

/** The state, of this server's own archive. */
export async function readOwnArchiveState(server: string): Promise<ArchiveState> {
  const state = await readArchiveState();
  const problem = ownerProblem(state, server);
  if (problem !== undefined) throw new AgentError(problem);
  return state ?? { server, periods: {} };
}

/** Writes one of Stagecraft's files in the archive. */
export async function writeArchiveFile(file: string, text: string): Promise<void> {
  try {
    await mkdir(archiveFiles.folder, { recursive: true, mode: 0o700 });
    await writeFileAtomically(file, text);
  } catch (error) {
    throw new AgentError(
      `the archive volume cannot be written to: ${messageOf(error)}; free some space, or make it writable for PostgreSQL's user`,
      { cause: error },
    );
  }
}

/** Keeps the state. */
export async function saveArchiveState(state: ArchiveState): Promise<void> {
  await writeArchiveFile(archiveFiles.state, JSON.stringify(state));
}

/** Begins a time without a gap, unless one is open. */
export async function beginPeriod(server: string, stanza: string, from: Date): Promise<void> {
  const state = await readOwnArchiveState(server);
  const periods = state.periods[stanza] ?? [];
  if (periods.at(-1)?.to === null) return;
  await savePeriods(state, stanza, [...periods, { from: from.toISOString(), to: null }]);
}

/** Ends the open time of a cluster: from here on something is missing. */
export async function endPeriod(server: string, stanza: string, to: Date): Promise<void> {
  const state = await readOwnArchiveState(server);
  const periods = state.periods[stanza] ?? [];
  await savePeriods(
    state,
    stanza,
    periods.map((one) => (one.to === null ? { ...one, to: to.toISOString() } : one)),
  );
}

async function savePeriods(
  state: ArchiveState,
  stanza: string,
  periods: readonly ArchivingPeriod[],
): Promise<void> {
  await saveArchiveState({ ...state, periods: { ...state.periods, [stanza]: [...periods] } });
}

/** What was chosen last; `undefined` while nobody has, or what an older agent kept cannot be read any more. */
export async function readChoice(): Promise<ArchiveConfig | undefined> {
  const text = await readTextIfExists(archiveFiles.choice);
  return text === undefined ? undefined : archiveConfigSchema.safeParse(JSON.parse(text)).data;
}
