import { type Catalogue } from "../../model/backup/catalogue-protocol";
import { nearestIds } from "../../model/backup/nearest-ids";
import type { BackupId } from "../../model/base/names";
import { Rejection } from "../base/problem";
import { readPins } from "../project/pins";
import type { StackName } from "../project/stacks";
import { call } from "../../engine/agent-client";
import { findAgent } from "./agent";

/** Reads the catalogue of a server's backups from its agent. */
export async function readCatalogue(folder: string, stack: StackName): Promise<Catalogue> {
  return call(await findAgent(folder, stack), "backups", {
    request: { pins: await readPins(folder, stack) },
  });
}

/** Raises a {@link Rejection} unless a backup is stored on a server. */
export async function requireStoredBackup(
  folder: string,
  stack: StackName,
  id: BackupId,
): Promise<void> {
  const { entries } = await readCatalogue(folder, stack);
  const entry = entries.find((entry) => entry.id === id);
  if (entry?.backup) return;
  if (entry?.away) {
    throw new Rejection(
      `backup ${id} of ${stack} is off-site only`,
      `fetch it first: npx stagecraft backups offsite ${stack} ${id} --identity <file>`,
    );
  }
  const stored = entries.filter(({ backup }) => backup !== null).map((one) => one.id);
  throw new Rejection(missingBackup(id, stored), `npx stagecraft backups ${stack}`);
}

/** `there is no backup …; the nearest: …`, for an id that is not among those that exist. */
export function missingBackup(id: BackupId, existing: readonly BackupId[]): string {
  const nearest = nearestIds(id, existing).join(", ");
  return `there is no backup ${id}; ${nearest === "" ? "there are no backups yet" : `the nearest: ${nearest}`}`;
}
