import type { BackupId } from "../base/names";
import { backedUpNames, newestVerifiedByDatabase } from "./backed-up-databases";
import { isRejected, isVerified, type CatalogueEntry, type Verification } from "./catalogue";
import { applyRetention } from "./retention";
import type { RetentionPolicy } from "./retention-policy";

/** Retention rules, and the backups that they are applied to. */
export interface AppliedPolicy {
  readonly policy: RetentionPolicy;
  readonly catalogue: readonly CatalogueEntry[];
}

/** Whether a backup is here that was neither verified nor rejected nor found to be bad. */
export function awaitsVerification(entry: CatalogueEntry): boolean {
  return (
    entry.backup !== null &&
    !isRejected(entry) &&
    !isVerified(entry) &&
    entry.verification?.result !== "failed"
  );
}

/**
 * The backups to verify, in this order: those that a rule would retain if they were verified, because only verified backups
 * count. So each database has a verified backup of each period that the rules name, e.g. of each hour with `hourly`. First
 * come newer backups of databases than the verified ones, beginning with the database whose verified one is the oldest;
 * then the others, the newest first.
 */
export function backupsToVerify(
  here: readonly CatalogueEntry[],
  policies: readonly AppliedPolicy[],
  now: Date,
): BackupId[] {
  const candidates = here.filter(awaitsVerification);
  const ids = new Set(candidates.map(({ id }) => id));
  const assume = (entry: CatalogueEntry): CatalogueEntry =>
    // A stack's name must not stand in for a rule.
    ids.has(entry.id) ? { ...entry, pins: [], verification: assumed } : entry;
  const needed = new Set(
    policies.flatMap(({ policy, catalogue }) =>
      applyRetention(catalogue.map(assume), policy, { now }).flatMap(({ id, keep }) =>
        keep && ids.has(id) ? [id] : [],
      ),
    ),
  );
  const newest = newestVerifiedByDatabase(here, now);
  /** The id of the oldest verified backup that this one would replace as the newest; after all ids if there is none. */
  const replaces = ({ id, backup }: CatalogueEntry): string => {
    const names = backup ? backedUpNames(backup) : [];
    const older = names.map((name) => newest.get(name) ?? "").filter((known) => known < id);
    return older.sort()[0] ?? "Z";
  };
  return candidates
    .filter(({ id }) => needed.has(id))
    .map((entry) => ({ id: entry.id, replaces: replaces(entry) }))
    .sort((a, b) => compare(a.replaces, b.replaces) || compare(b.id, a.id))
    .map(({ id }) => id);
}

/** What is assumed of a backup that is not verified yet. */
const assumed: Verification = {
  checkedAt: "1970-01-01T00:00:00Z",
  result: "passed",
  from: "repository",
  restored: true,
  seconds: 0,
  text: "",
};

const compare = (a: string, b: string): number => (a === b ? 0 : a < b ? -1 : 1);
