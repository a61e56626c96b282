import { readdir, stat } from "node:fs/promises";
import path from "node:path";
import type { StanzaInfo } from "../../../model/point-in-time/pgbackrest-info";
import { archiveFolder, reachedFile } from "../../../model/point-in-time/archive-repository";
import { readTextIfExists } from "../../system/atomic-file";

/**
 * Up to when all changes of a cluster are in the archive, also where its PostgreSQL cannot be asked any more. That is not
 * when the last segment came there, which may have waited for hours.
 */
export async function archivedUpTo({ stanza, newest }: StanzaInfo): Promise<Date | undefined> {
  if (!newest) return undefined;
  const noted = parseReachedTime((await readTextIfExists(reachedFile(stanza))) ?? "");
  if (noted) return noted;
  // An archive from before this was noted.
  const folder = path.join(archiveFolder, "archive", newest.folder);
  const name = (await readdir(folder).catch(() => [])).find((file) =>
    file.startsWith(`${newest.segment}-`),
  );
  const found =
    name === undefined ? undefined : await stat(path.join(folder, name)).catch(() => undefined);
  return found?.mtime;
}

/** A commit takes its time a little before it is written, and the next segment may have it. */
const slackMilliseconds = 1000;

/** The moment that images/stagecraft-pgbackrest has noted, less what a commit takes. */
export function parseReachedTime(text: string): Date | undefined {
  const at = new Date(text.split("\n")[0]?.trim() ?? "");
  return Number.isNaN(at.getTime()) ? undefined : new Date(at.getTime() - slackMilliseconds);
}
