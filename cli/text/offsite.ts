import type { OffsiteCopy } from "../../model/backup/catalogue";
import type { OffsiteFetched, OffsiteList } from "../../model/backup/offsite-protocol";
import { parseBackupId } from "../../model/base/names";
import { formatAge, formatBytes } from "../../model/base/units";
import { alignColumns } from "../base/table";

/** What `stagecraft backups offsite` prints: a line for each copy, newest first, and where they lie. */
export function copiesText({ place, copies }: OffsiteList, now: Date): string {
  if (copies.length === 0) return `no copies yet in ${place}`;
  const rows = copies.toReversed().map(({ id, bytes, isHere }) => {
    const age = (now.getTime() - (parseBackupId(id)?.getTime() ?? 0)) / 1000;
    return [id, formatAge(age), formatBytes(bytes), isHere ? "here, off-site" : "off-site"];
  });
  return [...alignColumns([["id", "age", "size", "where"], ...rows]), place].join("\n");
}

/** What an upload prints: a line for each copy that was made, failed or was removed. */
export function uploadedText(
  copies: readonly { readonly id: string; readonly copy: OffsiteCopy }[],
): string {
  if (copies.length === 0) return "every backup that is kept there is there already";
  return alignColumns(copies.map(({ id, copy }) => [id, copy.result, copy.text])).join("\n");
}

/** What is printed when a backup came back. */
export function fetchedText({ id, bytes }: OffsiteFetched, stack: string): string {
  return `backup ${id} is back   ${formatBytes(bytes)}, every file as in the manifest · restore it to be sure: npx stagecraft backups verify ${stack} ${id}`;
}
