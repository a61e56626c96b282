import type { ConfigProblem } from "../base/config-problem";
import type { ForeignKeyFacts } from "./catalogue";
import { columnText } from "./column-name";
import { columnType } from "./column-type";
import { describeMask, type Mask } from "./mask";
import type { AssignedMask } from "./resolve";
import { columnKey, type TableColumn, type Tables } from "./tables";

/** Columns connected by foreign keys, whose values must stay equal. */
export interface KeyGroup {
  readonly columns: readonly TableColumn[];
  readonly keys: readonly ForeignKeyFacts[];
  /** Keys of the columns that another column references. */
  readonly referenced: ReadonlySet<string>;
}

/** Groups the columns that foreign keys connect, by {@link columnKey}. */
export function keyGroups(keys: readonly ForeignKeyFacts[], tables: Tables): Map<string, KeyGroup> {
  const groups = new Map<string, KeyGroup>();
  for (const key of keys) {
    for (const { referring, referenced } of tables.pairs(key)) {
      const both = [referring, referenced];
      const merged = [...new Set(both.flatMap((column) => groups.get(columnKey(column)) ?? []))];
      const columns = new Map(
        [...merged.flatMap((group) => group.columns), ...both].map((column) => [
          columnKey(column),
          column,
        ]),
      );
      const group: KeyGroup = {
        columns: [...columns.values()],
        keys: [...new Set([...merged.flatMap((one) => one.keys), key])],
        referenced: new Set([
          ...merged.flatMap((one) => [...one.referenced]),
          columnKey(referenced),
        ]),
      };
      for (const id of columns.keys()) groups.set(id, group);
    }
  }
  return groups;
}

/** Masks whose result depends only on the value, so that it is the same in every table. */
const deterministic = new Set<Mask["mask"]>(["hash", "email", "name", "phone", "partial", "sql"]);

/** Applies the mask of a column to all columns of the same foreign key. */
export function spreadMasks(
  assigned: ReadonlyMap<string, AssignedMask>,
  groups: ReadonlyMap<string, KeyGroup>,
): { spread: AssignedMask[]; problems: ConfigProblem[] } {
  const spread: AssignedMask[] = [];
  const problems: ConfigProblem[] = [];
  for (const group of new Set(groups.values())) {
    const ofGroup = group.columns.flatMap((column) => assigned.get(columnKey(column)) ?? []);
    const changing = ofGroup.filter(
      // A reference can become NULL without the referenced column.
      (one) =>
        one.mask.mask !== "public" &&
        !(one.mask.mask === "null" && !group.referenced.has(columnKey(one))),
    );
    const [first] = changing;
    if (!first) continue;
    const problem = groupProblem(group, first, changing, ofGroup);
    if (problem) problems.push(problem);
    else
      spread.push(
        ...group.columns
          .filter((column) => !assigned.has(columnKey(column)))
          .map((column) => ({ ...column, path: nameOf(column), mask: first.mask })),
      );
  }
  return { spread, problems };
}

function groupProblem(
  { columns, keys }: KeyGroup,
  first: AssignedMask,
  changing: readonly AssignedMask[],
  ofGroup: readonly AssignedMask[],
): ConfigProblem | undefined {
  const { path, mask } = first;
  const key = keys[0]?.name ?? "";
  const others = columns.filter((column) => columnKey(column) !== columnKey(first)).map(nameOf);
  const other = changing.find((one) => JSON.stringify(one.mask) !== JSON.stringify(mask));
  if (other && !(mask.mask === "sql" && other.mask.mask === "sql"))
    return {
      path: other.path,
      text: `is ${describeMask(other.mask)} and ${path} is ${describeMask(mask)}, but the foreign key ${key} needs equal values; use the same mask for both`,
    };
  const unmasked = ofGroup.find((one) => one.mask.mask === "public");
  if (unmasked)
    return {
      path: unmasked.path,
      text: `is public and ${path} is ${describeMask(mask)}, but the foreign key ${key} needs equal values; remove one of the two lines to use the other for both`,
    };
  const isDeterministic =
    deterministic.has(mask.mask) || (mask.mask === "date shift" && mask.by === undefined);
  if (!isDeterministic)
    return {
      path,
      text: `${describeMask(mask)} gives different results for equal values, but the foreign key ${key} needs the same values in ${others.join(", ")}; use hash`,
    };
  if (mask.mask === "sql" && changing.length < columns.length)
    return {
      path,
      text: `the foreign key ${key} needs the same values in ${others.join(", ")}; add an expression for each of them`,
    };
  const families = new Set(columns.map(({ column }) => columnType(column).family));
  if (families.size > 1 && mask.mask !== "sql")
    return {
      path,
      text: `the foreign key ${key} connects columns of different types (${columns.map(({ column }) => column.type).join(", ")}), which only sql and public support; use one of them`,
    };
  return undefined;
}

function nameOf({ table, column }: TableColumn): string {
  return columnText({ ...table, column: column.name });
}
