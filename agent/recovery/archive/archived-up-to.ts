import { lstat, readdir } from "node:fs/promises";
import path from "node:path";
import type { StanzaInfo } from "../../../model/point-in-time/pgbackrest-info";
import { archiveFolder, reachedFile } from "../../../model/point-in-time/archive-repository";
import { readTextIfExists } from "../../system/atomic-file";

/**
 * The time up to which all changes of a cluster are archived; works without a running PostgreSQL. This is not the time
 * the last segment was archived at, which may have waited for hours.
 */
export async function archivedUpTo({ stanza, newest }: StanzaInfo): Promise<Date | undefined> {
  if (!newest) return undefined;
  const recorded = parseReachedTime((await readTextIfExists(reachedFile(stanza))) ?? "");
  if (recorded) return recorded;
  // An archive from before this time was recorded.
  const folder = path.join(archiveFolder, "archive", newest.folder);
  const name = (await readdir(folder).catch(() => [])).find((file) =>
    file.startsWith(`${newest.segment}-`),
  );
  const found =
    name === undefined ? undefined : await lstat(path.join(folder, name)).catch(() => undefined);
  return found?.mtime;
}

/** A commit's timestamp is taken shortly before its WAL record is written, which may be in the next segment. */
const slackMilliseconds = 1000;

/** Parses the time recorded by images/stagecraft-pgbackrest, and subtracts the slack of a commit. */
export function parseReachedTime(text: string): Date | undefined {
  const at = new Date(text.split("\n")[0]?.trim() ?? "");
  return Number.isNaN(at.getTime()) ? undefined : new Date(at.getTime() - slackMilliseconds);
}
