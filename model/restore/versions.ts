import {
  candidateName,
  maxPreviousVersions,
  outgoingName,
  previousVersionName,
} from "../base/names";

/** A rename of a database. */
export type Renaming = readonly [from: string, to: string];

/** Renames to execute in one transaction, and the databases to drop afterwards. */
export interface RenamePlan {
  readonly renames: readonly Renaming[];
  readonly drop: readonly string[];
}

/** Names of the previous versions of a database, newest first. */
export function previousVersions(database: string, names: ReadonlySet<string>): string[] {
  return versionsByAge(database, names).map(({ name }) => name);
}

function versionsByAge(
  database: string,
  names: ReadonlySet<string>,
): { readonly name: string; readonly age: number }[] {
  return Array.from({ length: maxPreviousVersions }, (_, index) => index + 1)
    .map((age) => ({ name: previousVersionName(database, age), age }))
    .filter(({ name }) => names.has(name));
}

/**
 * The renames that swap in the candidate `__incoming`: the live database becomes `__previous`, and each previous version
 * whose name is needed is renamed to the next older name. The newest `keep` versions remain. `names` are the names of all
 * databases.
 */
export function swapPlan(database: string, names: ReadonlySet<string>, keep: number): RenamePlan {
  const outgoing = outgoingName(database);
  const renames: Renaming[] = [];
  const drop: string[] = [];
  // The age up to which names are taken by newer versions.
  let taken = 0;
  const assign = (name: string, age: number, index: number): void => {
    const isTaken = age <= taken;
    const newAge = isTaken ? taken + 1 : age;
    if (index < keep) {
      if (newAge !== age) renames.unshift([name, previousVersionName(database, newAge)]);
      taken = newAge;
    } else if (isTaken) {
      renames.unshift([name, outgoing]);
      drop.push(outgoing);
    } else drop.push(name);
  };
  const isLive = names.has(database);
  if (isLive) assign(database, 0, 0);
  for (const [index, { name, age }] of versionsByAge(database, names).entries()) {
    assign(name, age, isLive ? index + 1 : index);
  }
  return { renames: [...renames, [candidateName(database), database]], drop };
}

/** The renames that roll back to a previous version; the live database becomes `__previous`, so that this can be undone. */
export function rollbackPlan(
  database: string,
  names: ReadonlySet<string>,
  version: string,
): Renaming[] {
  const outgoing = outgoingName(database);
  if (!names.has(database)) return [[version, database]];
  const versions = previousVersions(database, names);
  const newer = versions.slice(0, versions.indexOf(version));
  const slots = [...newer, version];
  const shifted = newer.map((name, index): Renaming => [name, slots[index + 1] ?? version]);
  return [
    [database, outgoing],
    [version, database],
    ...shifted.reverse(),
    [outgoing, slots[0] ?? version],
  ];
}
