import { readdir, stat } from "node:fs/promises";
import path from "node:path";
import { readInfo, type StanzaInfo } from "../../model/point-in-time/info";
import {
  archiveFiles,
  archiveFolder,
  type ArchiveState,
} from "../../model/point-in-time/repository";
import type { ArchivedCluster } from "../../model/point-in-time/window";
import { readText } from "../whole-file";
import { backrest } from "./pgbackrest";

/** What the archive has of each cluster of the server. */
export async function readClusters(state: ArchiveState): Promise<ArchivedCluster[]> {
  // Nothing was ever archived here.
  if ((await readText(archiveFiles.config)) === undefined) return [];
  const infos = readInfo(await backrest("info", { options: ["--output=json"] }));
  return Promise.all(
    infos.map(async (info) => ({
      info,
      periods: state.periods[info.stanza] ?? [],
      lastArchivedAt: await archivedAt(info),
    })),
  );
}

/** When the newest segment came into the archive, also where its PostgreSQL cannot be asked any more. */
async function archivedAt({ newest }: StanzaInfo): Promise<Date | undefined> {
  if (!newest) return undefined;
  const folder = path.join(archiveFolder, "archive", newest.folder);
  const name = (await readdir(folder).catch(() => [])).find((file) =>
    file.startsWith(`${newest.segment}-`),
  );
  const found =
    name === undefined ? undefined : await stat(path.join(folder, name)).catch(() => undefined);
  return found?.mtime;
}
