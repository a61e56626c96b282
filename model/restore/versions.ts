import {
  candidateName,
  maxPreviousVersions,
  outgoingName,
  previousVersionName,
} from "../base/names";

/** A renaming of a database: from, to. */
export type Renaming = readonly [from: string, to: string];

/** What happens to the names of a database and its copies: renamings in one transaction, and what is dropped after them. */
export interface RenamePlan {
  readonly renames: readonly Renaming[];
  readonly drop: readonly string[];
}

/** The former copies that are there, the newest first. */
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
 * Lets `__incoming` take the database's name: the live contents become `__previous`, a copy whose name is wanted gets one
 * older, and the newest `keep` of them stay. `names` are all databases there are.
 */
export function swapPlan(database: string, names: ReadonlySet<string>, keep: number): RenamePlan {
  const outgoing = outgoingName(database);
  const renames: Renaming[] = [];
  const drop: string[] = [];
  // The age up to which names are wanted by newer contents.
  let wanted = 0;
  const place = (name: string, age: number, index: number): void => {
    const isInTheWay = age <= wanted;
    const newAge = isInTheWay ? wanted + 1 : age;
    if (index < keep) {
      if (newAge !== age) renames.unshift([name, previousVersionName(database, newAge)]);
      wanted = newAge;
    } else if (isInTheWay) {
      renames.unshift([name, outgoing]);
      drop.push(outgoing);
    } else drop.push(name);
  };
  const isLive = names.has(database);
  if (isLive) place(database, 0, 0);
  for (const [index, { name, age }] of versionsByAge(database, names).entries()) {
    place(name, age, isLive ? index + 1 : index);
  }
  return { renames: [...renames, [candidateName(database), database]], drop };
}

/** Brings a former copy back as the database; the live contents become `__previous`, so that this can be undone as well. */
export function rollbackPlan(
  database: string,
  names: ReadonlySet<string>,
  copy: string,
): Renaming[] {
  const outgoing = outgoingName(database);
  if (!names.has(database)) return [[copy, database]];
  const copies = previousVersions(database, names);
  const newer = copies.slice(0, copies.indexOf(copy));
  const places = [...newer, copy];
  const shifted = newer.map((name, index): Renaming => [name, places[index + 1] ?? copy]);
  return [
    [database, outgoing],
    [copy, database],
    ...shifted.reverse(),
    [outgoing, places[0] ?? copy],
  ];
}
