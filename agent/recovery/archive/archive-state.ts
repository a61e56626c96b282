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

/** The server the archive belongs to, and the archived periods; `undefined` for an unused archive. */
export async function readArchiveState(): Promise<ArchiveState | undefined> {
  const text = await readTextIfExists(archiveFiles.state);
  if (text === undefined) return undefined;
  try {
    return archiveStateSchema.parse(JSON.parse(text));
  } catch (error) {
    throw new AgentError(
      `${archiveFiles.state} cannot be read (${messageOf(error)}); the archive itself is intact: move the file away and run pulumi up again, which starts a new recoverable period`,
      { cause: error },
    );
  }
}

/** Why this server must not use the archive; `undefined` if it may. */
export function ownerProblem(state: ArchiveState | undefined, server: string): string | undefined {
  if (!state || state.server === server) return undefined;
  return `the archive volume belongs to server ${state.server}, not ${server}; give ${server} an empty archive volume`;
}

/** The state of this server's archive; throws an {@link AgentError} when the archive belongs to another server. */
export async function readOwnArchiveState(server: string): Promise<ArchiveState> {
  const state = await readArchiveState();
  const problem = ownerProblem(state, server);
  if (problem !== undefined) throw new AgentError(problem);
  return state ?? { server, periods: {} };
}

/** Writes one of Stagecraft's files in the archive volume. */
export async function writeArchiveFile(file: string, text: string): Promise<void> {
  try {
    await mkdir(archiveFiles.folder, { recursive: true, mode: 0o700 });
    await writeFileAtomically(file, text);
  } catch (error) {
    throw new AgentError(
      `cannot write to the archive volume: ${messageOf(error)}; free some space, or make it writable for PostgreSQL's user`,
      { cause: error },
    );
  }
}

/** Saves the state. */
export async function saveArchiveState(state: ArchiveState): Promise<void> {
  await writeArchiveFile(archiveFiles.state, JSON.stringify(state));
}

/** Starts a gapless period, unless one is open. */
export async function beginPeriod(server: string, stanza: string, from: Date): Promise<void> {
  const state = await readOwnArchiveState(server);
  const periods = state.periods[stanza] ?? [];
  if (periods.at(-1)?.to === null) return;
  await savePeriods(state, stanza, [...periods, { from: from.toISOString(), to: null }]);
}

/** Ends the open period of a cluster: WAL after `to` is missing. */
export async function endPeriod(server: string, stanza: string, to: Date): Promise<void> {
  const state = await readOwnArchiveState(server);
  const periods = state.periods[stanza] ?? [];
  await savePeriods(
    state,
    stanza,
    periods.map((period) => (period.to === null ? { ...period, to: to.toISOString() } : period)),
  );
}

async function savePeriods(
  state: ArchiveState,
  stanza: string,
  periods: readonly ArchivingPeriod[],
): Promise<void> {
  await saveArchiveState({ ...state, periods: { ...state.periods, [stanza]: [...periods] } });
}

/** The applied archiving options; `undefined` before the first, or when those of an older agent cannot be read. */
export async function readChoice(): Promise<ArchiveConfig | undefined> {
  const text = await readTextIfExists(archiveFiles.choice);
  return text === undefined ? undefined : archiveConfigSchema.safeParse(JSON.parse(text)).data;
}
