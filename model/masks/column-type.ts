import type { ColumnFacts } from "./catalogue";

/** The type of a column, or of its elements, as far as it matters for masks. */
export type ColumnType =
  | { readonly family: "text"; readonly maxLength: number; readonly ignoresCase: boolean }
  /** `bits` without the sign: 15, 31 or 63. */
  | { readonly family: "integer"; readonly bits: number }
  | { readonly family: "numeric"; readonly precision: number; readonly scale: number }
  | { readonly family: "enum"; readonly labels: readonly string[] }
  | { readonly family: Exclude<Families[keyof Families], "text" | "integer" | "numeric"> }
  | { readonly family: "other" };

type Families = typeof families;

const families = {
  text: "text",
  varchar: "text",
  bpchar: "text",
  citext: "text",
  name: "text",
  int2: "integer",
  int4: "integer",
  int8: "integer",
  numeric: "numeric",
  float4: "float",
  float8: "float",
  uuid: "uuid",
  date: "date",
  timestamp: "timestamp",
  timestamptz: "timestamp",
  bool: "boolean",
  json: "json",
  jsonb: "json",
  bytea: "bytea",
  oid: "large object",
} as const;

const integerBits: Readonly<Record<string, number>> = { int2: 15, int4: 31, int8: 63 };

/** Classifies a column's type. */
export function columnType({
  base,
  modifier,
  labels,
}: Pick<ColumnFacts, "base" | "modifier" | "labels">): ColumnType {
  if (labels !== null) return { family: "enum", labels };
  if (!isKnown(base)) return { family: "other" };
  const family = families[base];
  if (family === "text") {
    const limited = base === "varchar" || base === "bpchar";
    const maxLength = base === "name" ? 63 : limited && modifier >= 4 ? modifier - 4 : Infinity;
    return { family, maxLength, ignoresCase: base === "citext" };
  }
  if (family === "integer") return { family, bits: integerBits[base] ?? 31 };
  if (family === "numeric") return { family, ...numericModifier(modifier) };
  return { family };
}

function isKnown(base: string): base is keyof Families {
  return Object.hasOwn(families, base);
}

/** Decodes precision and scale of a type modifier (`numeric.c`, `numeric_typmod_precision`). */
function numericModifier(modifier: number): { precision: number; scale: number } {
  if (modifier < 4) return { precision: Infinity, scale: Infinity };
  const packed = modifier - 4;
  return { precision: (packed >> 16) & 0xffff, scale: ((packed & 0x7ff) ^ 0x400) - 0x400 };
}
