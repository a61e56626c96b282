import type { ColumnFacts } from "./catalogue";
import type { ColumnType } from "./column-type";
import { outputBits, minLength, type MaskTarget } from "./compile";
import type { Mask } from "./mask";

/** Types that a mask supports; other masks (`null`, `constant`, `sql`, `public`) support every type. */
const supportedTypes: Readonly<Record<string, readonly ColumnType["family"][]>> = {
  hash: ["text", "integer", "numeric", "uuid", "bytea", "enum"],
  email: ["text"],
  name: ["text"],
  phone: ["text"],
  partial: ["text"],
  "date shift": ["date", "timestamp"],
  noise: ["integer", "numeric", "float"],
};

/** Maximum number of digits that `hash` supports. */
const maxDigits = 18;

/** Collisions with a probability below 2^-16 are ignored. */
const spareBits = 16;

/** Assumed number of rows of a table without statistics. */
const unknownRows = 1_000_000;

/** Why a mask does not fit a column, with the fix. */
export function fitProblems(
  mask: Mask,
  column: ColumnFacts,
  target: MaskTarget,
  {
    rows,
    singleColumnUnique,
  }: { readonly rows: number; readonly singleColumnUnique: string | undefined },
): string[] {
  if (mask.mask === "public") return [];
  if (column.isGenerated)
    return ["is a generated column; mask the columns it depends on, and remove this line"];
  const { type } = target;
  const fitting = Object.keys(supportedTypes).filter((name) =>
    supportedTypes[name]?.includes(type.family),
  );
  const families = supportedTypes[mask.mask];
  if (families && !families.includes(type.family)) {
    const masks = [...fitting, "null", "constant", "sql", "public"].join(", ");
    return [`${mask.mask} does not support ${column.type}; use one of ${masks}`];
  }
  if (mask.mask === "null") {
    return column.notNull
      ? ["null is not allowed, the column is NOT NULL; use constant or another mask"]
      : [];
  }
  if (mask.mask === "constant") {
    const problem =
      constantProblem(mask.value, target) ??
      (singleColumnUnique === undefined
        ? undefined
        : `constant gives all rows the same value, which violates ${singleColumnUnique}; use hash`);
    return problem === undefined ? [] : [problem];
  }
  if (mask.mask === "hash" && type.family === "numeric") {
    if (type.scale !== 0 || type.precision > maxDigits)
      return [
        `hash supports whole numbers of up to ${maxDigits} digits, not ${column.type}; use noise, constant or sql`,
      ];
  }
  const needed = minLength(mask, target.isUnique);
  if (target.maxLength < needed) {
    const shorter = mask.mask === "email" ? "hash, or a shorter domain" : "hash";
    return [
      `${mask.mask} needs ${needed} characters, but ${column.type} has only ${target.maxLength}; use ${shorter}`,
    ];
  }
  const count = rows < 0 ? unknownRows : rows;
  const bits = outputBits(mask, target);
  const enough = 2 * Math.log2(Math.max(count, 2)) + spareBits;
  const mayCollide =
    bits === 0 ? singleColumnUnique !== undefined : target.isUnique && bits < enough;
  if (!mayCollide) return [];
  const why =
    bits === 0
      ? `${mask.mask} can make different values equal, which violates ${singleColumnUnique ?? ""}`
      : `${mask.mask} has too few values in ${column.type} for ${count} rows with unique values`;
  return [`${why}; use ${bits > 0 || type.family === "date" ? "sql or public" : "hash or sql"}`];
}

function constantProblem(
  value: unknown,
  { type, isArray, typeName, maxLength }: MaskTarget,
): string | undefined {
  if (value === null) return "constant cannot be null; use mask.null()";
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
    return `constant ${shown(value)} is not a value of ${typeName}; use one of ${type.labels.join(", ")}`;
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
