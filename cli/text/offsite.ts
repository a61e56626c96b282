import type { OffsiteCopy } from "../../model/backup/catalogue";
import type { OffsiteFetched, OffsiteList } from "../../model/backup/offsite-protocol";
import { parseBackupId } from "../../model/base/names";
import { formatAge, formatBytes } from "../../model/base/units";
import { alignColumns } from "../base/table";

/** What `stagecraft backups offsite` prints: a line for each copy, newest first, and where they are stored. */
export function copiesText({ place, copies }: OffsiteList, now: Date): string {
  if (copies.length === 0) return `no off-site copies in ${place}`;
  const rows = copies.toReversed().map(({ id, bytes, isHere }) => {
    const age = (now.getTime() - (parseBackupId(id)?.getTime() ?? 0)) / 1000;
    return [id, formatAge(age), formatBytes(bytes), isHere ? "here, off-site" : "off-site"];
  });
  return [...alignColumns([["id", "age", "size", "where"], ...rows]), place].join("\n");
}

/** What an upload prints: a line for each copy that was uploaded, failed or was removed. */
export function uploadedText(
  copies: readonly { readonly id: string; readonly copy: OffsiteCopy }[],
): string {
  if (copies.length === 0) return "all off-site copies are up to date";
  return alignColumns(copies.map(({ id, copy }) => [id, copy.result, copy.text])).join("\n");
}

/** What is printed when a backup was fetched. */
export function fetchedText({ id, bytes }: OffsiteFetched, stack: string): string {
  return `backup ${id} was fetched   ${formatBytes(bytes)}, all files match the manifest · to verify it by a restore: npx stagecraft backups verify ${stack} ${id}`;
}
