import { isRejected, type CatalogueEntry } from "../backup/catalogue";
import type { RecordedCopy } from "../backup/offsite-copies";
import { formatBackupId, type BackupId } from "../base/names";
import type { RestoreRequest } from "./protocol";

/** A backup of the server, or an off-site copy of one. */
export interface NewerContents {
  readonly id: BackupId;
  /** Where it is: `"here"`, or remote and path of the copy. */
  readonly place: string;
}

/** The backups of a server, and what is known of their off-site copies. */
export interface KnownContents {
  readonly here: readonly CatalogueEntry[];
  /** The copies at the remote, by id. */
  readonly copies: readonly BackupId[];
  /** Remote and path of the copies. */
  readonly remote: string;
  /** The agent's records of copies; they say which databases a copy has. */
  readonly records: readonly RecordedCopy[];
}

/**
 * The newest backup or copy that has newer contents of a database than the source of a recovery; `undefined` for none. A
 * dump whose name has no time counts as older than any of them. Rejected backups, those whose verification failed, and those
 * with a time in the future (a wrong clock) do not count.
 */
export function newestContents(
  { database, source: { backup: of }, acceptOlder }: NewerRequest,
  { here, copies, remote, records }: KnownContents,
  now: Date,
): NewerContents | undefined {
  const limit = formatBackupId(now);
  const least =
    [of, acceptOlder]
      .flatMap((id) => id ?? [])
      .sort()
      .at(-1) ?? "";
  const isNewer = (id: BackupId): boolean => id > least && id <= limit;
  const local = here.filter(
    (entry) =>
      entry.backup?.databases.some(({ name }) => name === database) === true &&
      !isRejected(entry) &&
      entry.verification?.result !== "failed",
  );
  const away = copies.filter((id) => {
    const was = records.find((record) => record.id === id)?.was;
    // What is in a copy is known only where this agent has made it.
    if (!was) return true;
    const isFailed = was.verification?.result === "failed";
    return !isFailed && was.backup.databases.some(({ name }) => name === database);
  });
  const found = [
    ...away.map((id) => ({ id, place: remote })),
    // Of the same backup the one that is here.
    ...local.map(({ id }) => ({ id, place: "here" })),
  ].filter(({ id }) => isNewer(id));
  return found.reduce<NewerContents | undefined>(
    (newest, one) => (newest && newest.id > one.id ? newest : one),
    undefined,
  );
}

/** The part of a request that decides which contents are newer. */
export type NewerRequest = Pick<RestoreRequest, "server" | "database" | "source" | "acceptOlder">;

/** Why a recovery is rejected: newer contents exist. With the ways out. */
export function newerContentsText(
  { server, database, source, acceptOlder }: NewerRequest,
  { id, place }: NewerContents,
): string {
  const isHere = place === "here";
  const where = isHere ? `backup ${id} is here` : `${id} is in ${place}`;
  const what = source.backup === undefined ? `${source.name}, whose age is unknown` : source.name;
  const names = acceptOlder === undefined ? "" : ` (data.acceptOlder allows up to ${acceptOlder})`;
  const fix = isHere
    ? `npx stagecraft recover ${server}, or set data.from: server:${server} and data.backup: ${id}`
    : `set data.from: offsite and data.backup: ${id}, as docs/recover.md shows`;
  return [
    `${database} of ${server} is missing, and its stack names older contents than there are: ${where}, but data names ${what}${names}`,
    `restore the newest: ${fix}`,
    `or, to use the older contents, set data.acceptOlder: ${id}`,
  ].join("\n");
}
