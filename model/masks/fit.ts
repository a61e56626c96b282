import type { ColumnFacts } from "./catalogue";
import type { ColumnType } from "./column-type";
import { bitsOf, shortest, type MaskTarget } from "./compile";
import type { Mask } from "./mask";

/** Which masks change values of which types; the others (`null`, `constant`, `sql`, `public`) suit every type. */
const suits: Readonly<Record<string, readonly ColumnType["family"][]>> = {
  hash: ["text", "integer", "numeric", "uuid", "bytea", "enum"],
  email: ["text"],
  name: ["text"],
  phone: ["text"],
  partial: ["text"],
  "date shift": ["date", "timestamp"],
  noise: ["integer", "numeric", "float"],
};

/** Digits of the longest numbers that `hash` can exchange. */
const mostDigits = 18;

/** Collisions are taken for impossible when they are less likely than 1 in 2^16. */
const spareBits = 16;

/** Rows of a table that PostgreSQL has not counted yet. */
const unknownRows = 1_000_000;

/** Why a mask cannot stand on a column, as sentences with the fix. */
export function fitProblems(
  mask: Mask,
  column: ColumnFacts,
  target: MaskTarget,
  { rows, uniqueAlone }: { readonly rows: number; readonly uniqueAlone: string | undefined },
): string[] {
  if (mask.mask === "public") return [];
  if (column.isGenerated)
    return [
      "is generated from other columns and follows them; mask those, and leave this line out",
    ];
  const { type } = target;
  const fitting = Object.keys(suits).filter((name) => suits[name]?.includes(type.family));
  const families = suits[mask.mask];
  if (families && !families.includes(type.family)) {
    const masks = [...fitting, "null", "constant", "sql", "public"].join(", ");
    return [`${mask.mask} does not fit ${column.type}; what fits is ${masks}`];
  }
  if (mask.mask === "null") {
    return column.notNull
      ? ["null does not fit, the column is NOT NULL; use constant or another mask"]
      : [];
  }
  if (mask.mask === "constant") {
    const problem =
      constantProblem(mask.value, target) ??
      (uniqueAlone === undefined
        ? undefined
        : `constant would give all rows the same value, and ${uniqueAlone} keeps them apart; use hash`);
    return problem === undefined ? [] : [problem];
  }
  if (mask.mask === "hash" && type.family === "numeric") {
    if (type.scale !== 0 || type.precision > mostDigits)
      return [
        `hash fits whole numbers of up to ${mostDigits} digits, not ${column.type}; use noise, constant or sql`,
      ];
  }
  const needed = shortest(mask, target.isUnique);
  if (target.maxLength < needed) {
    const shorter = mask.mask === "email" ? "hash, or give a shorter domain" : "hash";
    return [
      `${mask.mask} needs ${needed} characters and ${column.type} has room for ${target.maxLength}; use ${shorter}`,
    ];
  }
  const count = rows < 0 ? unknownRows : rows;
  const bits = bitsOf(mask, target);
  const enough = 2 * Math.log2(Math.max(count, 2)) + spareBits;
  const mayCollide = bits === 0 ? uniqueAlone !== undefined : target.isUnique && bits < enough;
  if (!mayCollide) return [];
  const why =
    bits === 0
      ? `${mask.mask} can make different values equal, and ${uniqueAlone ?? ""} keeps them apart`
      : `${mask.mask} has too few values in ${column.type} for ${count} rows that must stay different`;
  return [`${why}; use ${bits > 0 || type.family === "date" ? "sql or public" : "hash or sql"}`];
}

function constantProblem(
  value: unknown,
  { type, isArray, typeName, maxLength }: MaskTarget,
): string | undefined {
  if (value === null) return "constant null is written null; use mask.null()";
  if (isArray) {
    const isList = Array.isArray(value) || typeof value === "string";
    return isList ? undefined : `constant must be a list for ${typeName}, got ${shown(value)}`;
  }
  if (type.family === "json") return undefined;
  if (typeof value === "object")
    return `constant must be a single value for ${typeName}, got ${shown(value)}`;
  const text = typeof value === "string" ? value : JSON.stringify(value);
  if (type.family === "text" && text.length > maxLength)
    return `constant ${shown(value)} is longer than ${typeName}`;
  if (type.family === "enum" && !type.labels.includes(text))
    return `constant ${shown(value)} is not a value of ${typeName}; there are ${type.labels.join(", ")}`;
  if (type.family === "boolean" && typeof value !== "boolean")
    return `constant must be true or false, got ${shown(value)}`;
  if (type.family === "integer") {
    const limit = 2 ** type.bits;
    const number = Number(text);
    if (!/^-?\d+$/.test(text) || number >= limit || number < -limit)
      return `constant must be a whole number within ${typeName}, got ${shown(value)}`;
  }
  return undefined;
}

function shown(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}
