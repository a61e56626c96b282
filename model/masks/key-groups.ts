import type { SettingProblem } from "../base/config-problem";
import type { ForeignKeyFacts } from "./catalogue";
import { columnText } from "./column-name";
import { columnType } from "./column-type";
import { describeMask, type Mask } from "./mask";
import type { Given } from "./resolve";
import { placeKey, type Place, type Tables } from "./tables";

/** Columns that foreign keys make equal. */
export interface KeyGroup {
  readonly places: readonly Place[];
  readonly keys: readonly ForeignKeyFacts[];
  /** Places that another one refers to. */
  readonly referenced: ReadonlySet<string>;
}

/** Puts the columns together that foreign keys connect, by their places. */
export function keyGroups(keys: readonly ForeignKeyFacts[], tables: Tables): Map<string, KeyGroup> {
  const groups = new Map<string, KeyGroup>();
  for (const key of keys) {
    for (const { referring, referenced } of tables.pairs(key)) {
      const both = [referring, referenced];
      const former = [...new Set(both.flatMap((place) => groups.get(placeKey(place)) ?? []))];
      const places = new Map(
        [...former.flatMap((group) => group.places), ...both].map((place) => [
          placeKey(place),
          place,
        ]),
      );
      const group: KeyGroup = {
        places: [...places.values()],
        keys: [...new Set([...former.flatMap((one) => one.keys), key])],
        referenced: new Set([
          ...former.flatMap((one) => [...one.referenced]),
          placeKey(referenced),
        ]),
      };
      for (const place of places.keys()) groups.set(place, group);
    }
  }
  return groups;
}

/** Masks that make of a value the same in every table. */
const followsValue = new Set<Mask["mask"]>(["hash", "email", "name", "phone", "partial", "sql"]);

/** Gives the columns of a foreign key the same mask: what stands on one of them is meant for all. */
export function spreadMasks(
  given: ReadonlyMap<string, Given>,
  groups: ReadonlyMap<string, KeyGroup>,
): { spread: Given[]; problems: SettingProblem[] } {
  const spread: Given[] = [];
  const problems: SettingProblem[] = [];
  for (const group of new Set(groups.values())) {
    const here = group.places.flatMap((place) => given.get(placeKey(place)) ?? []);
    const changing = here.filter(
      // A reference that is gone fits every key.
      (one) =>
        one.mask.mask !== "public" &&
        !(one.mask.mask === "null" && !group.referenced.has(placeKey(one))),
    );
    const [first] = changing;
    if (!first) continue;
    const problem = groupProblem(group, first, changing, here);
    if (problem) problems.push(problem);
    else
      spread.push(
        ...group.places
          .filter((place) => !given.has(placeKey(place)))
          .map((place) => ({ ...place, path: nameOf(place), mask: first.mask })),
      );
  }
  return { spread, problems };
}

function groupProblem(
  { places, keys }: KeyGroup,
  first: Given,
  changing: readonly Given[],
  here: readonly Given[],
): SettingProblem | undefined {
  const { path, mask } = first;
  const key = keys[0]?.name ?? "";
  const others = places.filter((place) => placeKey(place) !== placeKey(first)).map(nameOf);
  const other = changing.find((one) => JSON.stringify(one.mask) !== JSON.stringify(mask));
  if (other && !(mask.mask === "sql" && other.mask.mask === "sql"))
    return {
      path: other.path,
      text: `is ${describeMask(other.mask)} and ${path} is ${describeMask(mask)}, but the foreign key ${key} makes them equal; give both the same mask`,
    };
  const open = here.find((one) => one.mask.mask === "public");
  if (open)
    return {
      path: open.path,
      text: `is public and ${path} is ${describeMask(mask)}, but the foreign key ${key} makes them equal; leave one of the two lines out, and it follows the other`,
    };
  const follows =
    followsValue.has(mask.mask) || (mask.mask === "date shift" && mask.by === undefined);
  if (!follows)
    return {
      path,
      text: `${describeMask(mask)} does not make of a value the same in every table, and the foreign key ${key} makes it equal to ${others.join(", ")}; use hash`,
    };
  if (mask.mask === "sql" && changing.length < places.length)
    return {
      path,
      text: `the foreign key ${key} makes it equal to ${others.join(", ")}; give an expression for each of them`,
    };
  const families = new Set(places.map(({ column }) => columnType(column).family));
  if (families.size > 1 && mask.mask !== "sql")
    return {
      path,
      text: `the foreign key ${key} makes columns of different types equal (${places.map(({ column }) => column.type).join(", ")}), which no mask keeps; use sql or public`,
    };
  return undefined;
}

function nameOf({ table, column }: Place): string {
  return columnText({ ...table, column: column.name });
}
