import { parseInfo } from "../../../model/point-in-time/pgbackrest-info";
import { archiveFiles, type ArchiveState } from "../../../model/point-in-time/archive-repository";
import type { ArchivedCluster } from "../../../model/point-in-time/recovery-windows";
import { readTextIfExists } from "../../system/atomic-file";
import { backrest } from "./pgbackrest";
import { archivedUpTo } from "./archived-up-to";

/** The backups and periods in the archive, for each cluster the server has had. */
export async function readClusters(state: ArchiveState): Promise<ArchivedCluster[]> {
  // Nothing was ever archived here.
  if ((await readTextIfExists(archiveFiles.config)) === undefined) return [];
  const infos = parseInfo(await backrest("info", { options: ["--output=json"] }));
  return Promise.all(
    infos.map(async (info) => ({
      info,
      periods: state.periods[info.stanza] ?? [],
      archivedUpTo: await archivedUpTo(info),
    })),
  );
}
