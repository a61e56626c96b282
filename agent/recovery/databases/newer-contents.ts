import type { OffsiteRemote } from "../../../model/backup/offsite-config";
import { remotePathText } from "../../../model/backup/remote-copies";
import { newerContentsText, newestContents } from "../../../model/restore/newer-contents";
import type { RestoreRequest } from "../../../model/restore/protocol";
import { readSchedule } from "../../jobs/schedule";
import { withRemote } from "../../offsite/remote";
import { readKnownCopies } from "../../repository/known-offsite-copies";
import { readBackupCatalogue } from "../../repository/repository";
import { now } from "../../system/clock";
import { messageOf } from "../../system/errors";

/**
 * Why production must not be filled with what its stack names: the server's own backups or off-site copies have newer
 * contents of the database, or the copies cannot be listed. Empty if there is no reason. The volumes of a server may be lost
 * while its stack file still names the dump that it once began with.
 */
export async function newerContentsProblems(request: RestoreRequest): Promise<string[]> {
  const remotes = await ownRemotes(request);
  const here = await readBackupCatalogue();
  const records = await readKnownCopies();
  const problems: string[] = [];
  for (const remote of [undefined, ...remotes]) {
    const listed = remote ? await listCopies(request.server, remote) : [];
    if ("problem" in listed) {
      if (problems.length === 0) problems.push(unlistedText(request, listed.problem));
      continue;
    }
    const place = remote ? remotePathText(remote, request.server) : "";
    const newest = newestContents(request, { here, copies: listed, remote: place, records }, now());
    if (newest) return [newerContentsText(request, newest)];
  }
  return problems;
}

/** Where this server's off-site copies may be: the remote of the stack, the one that was applied last, and that of the source. */
async function ownRemotes({
  server,
  ownCopies,
  offsite,
}: RestoreRequest): Promise<readonly OffsiteRemote[]> {
  const applied = (await readSchedule().catch(() => undefined))?.offsite;
  const source = offsite?.server === server ? offsite : undefined;
  const remotes = [ownCopies, source, applied].flatMap((remote) => remote ?? []);
  return remotes.filter(
    (remote, index) => remotes.findIndex((other) => isSame(other, remote)) === index,
  );
}

function isSame(one: OffsiteRemote, other: OffsiteRemote): boolean {
  return (
    one.remote === other.remote && JSON.stringify(one.options) === JSON.stringify(other.options)
  );
}

async function listCopies(
  server: string,
  { remote, options, idle = "15 s" }: OffsiteRemote,
): Promise<string[] | { readonly problem: string }> {
  try {
    return await withRemote({ remote, options, idle }, server, async (place) =>
      (await place.copies()).map(({ id }) => id),
    );
  } catch (error) {
    return { problem: messageOf(error) };
  }
}

function unlistedText({ server, database }: RestoreRequest, problem: string): string {
  return `${database} of ${server} is missing, and its off-site copies, which may be newer than what data names, cannot be listed: ${problem}\ncorrect backups.offsite and run pulumi up again`;
}
