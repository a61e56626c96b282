import { parseInfo, type StanzaInfo } from "../../../model/point-in-time/pgbackrest-info";
import { archiveFiles, type ArchiveState } from "../../../model/point-in-time/archive-repository";
import type { ArchivedCluster } from "../../../model/point-in-time/recovery-windows";
import { readTextIfExists } from "../../system/atomic-file";
import { backrest } from "./pgbackrest";
import { archivedUpTo } from "./archived-up-to";

/** The backups and periods in the archive, for each cluster the server has had. */
export async function readClusters(state: ArchiveState): Promise<ArchivedCluster[]> {
  // Nothing was ever archived here.
  if ((await readTextIfExists(archiveFiles.config)) === undefined) return [];
  const stored = parseInfo(await backrest("info", { options: ["--output=json"] }));
  return Promise.all(
    [...stored, ...missingClusters(state, stored)].map(async (info) => ({
      info,
      periods: state.periods[info.stanza] ?? [],
      archivedUpTo: await archivedUpTo(info),
    })),
  );
}

/** Clusters that were archived and of which the archive has nothing, with pgBackRest's words for it. */
function missingClusters(state: ArchiveState, stored: readonly StanzaInfo[]): StanzaInfo[] {
  const problem = "missing stanza path";
  return Object.keys(state.periods)
    .filter((stanza) => !stored.some((info) => info.stanza === stanza))
    .map((stanza) => ({ stanza, problem, backups: [], newest: undefined }));
}
