import { quoteIdentifier as q, quoteLiteral } from "../base/sql";
import type { ColumnType } from "./column-type";
import { hmac, numberOf, smallNumberOf, textBytes } from "./keyed";
import type { Mask } from "./mask";
import { decimalBlock, integerBlocks, permutationLevels } from "./permutation";
import { rebuildArray } from "./rebuild-array";
import { firstNames, lastNames } from "./sample-names";

/** A column to mask, with the constraints of all columns in the same key. */
export interface MaskTarget {
  readonly column: string;
  /** Type in SQL notation. */
  readonly typeName: string;
  readonly type: ColumnType;
  readonly isArray: boolean;
  /** Whether different values must have different masked values. */
  readonly isUnique: boolean;
  /** Bits of all integer columns in the same key. */
  readonly bits: readonly number[];
  /** Shortest maximum length of all text columns in the same key. */
  readonly maxLength: number;
  /** Whether one of them is case-insensitive. */
  readonly ignoresCase: boolean;
  readonly encoding: string;
  /** `schema.table.column`. */
  readonly fullName: string;
  /** Columns that identify a row. */
  readonly rowKey: readonly string[];
}

/** SQL that masks a column: intermediate columns, level by level, and the expression of the masked value. */
export interface CompiledMask {
  readonly levels: readonly Readonly<Record<string, string>>[];
  readonly output: string;
}

/** Length of a hashed text in hexadecimal digits: 128 bits. */
const hashLength = 32;
const defaultDomain = "example.invalid";
const phonePrefix = "+999";
/** Length of the suffix that makes generated names unique, in hexadecimal digits. */
const nameSuffix = 16;

/** Number of different masked values, in bits; Infinity when different values always have different masked values. */
export function outputBits(mask: Mask, { type, maxLength }: MaskTarget): number {
  switch (mask.mask) {
    case "hash":
      if (type.family === "integer" || type.family === "numeric") return Infinity;
      if (type.family === "enum") return Math.log2(type.labels.length);
      if (type.family === "text") return 4 * Math.min(hashLength, maxLength);
      return type.family === "uuid" ? 122 : 256;
    case "email":
      return 4 * emailDigits(mask.domain, maxLength);
    case "name":
      return 4 * Math.min(nameSuffix, maxLength);
    case "phone":
      return phoneDigits(maxLength) * Math.log2(10);
    case "partial":
      return 4 * Math.min(hashLength, maxLength - (mask.first ?? 0) - (mask.last ?? 0));
    case "date shift":
      return mask.by === undefined ? Infinity : 0;
    case "public":
      return Infinity;
    // NULLs do not collide.
    case "null":
      return Infinity;
    case "constant":
    case "noise":
      return 0;
    // Left to the author of the expression.
    case "sql":
      return Infinity;
  }
}

/** Minimum number of characters that a mask of texts needs. */
export function minLength(mask: Mask, isUnique: boolean): number {
  switch (mask.mask) {
    case "email":
      return (mask.domain ?? defaultDomain).length + 6;
    case "phone":
      return phonePrefix.length + 4;
    case "name":
      return isUnique ? nameSuffix + 4 : 3;
    case "partial":
      return isUnique ? (mask.first ?? 0) + (mask.last ?? 0) + 1 : 0;
    case "public":
    case "null":
    case "constant":
    case "hash":
    case "date shift":
    case "noise":
    case "sql":
      return 0;
  }
}

/** Compiles a mask that fits its column to SQL. @param prefix of the names of intermediate columns */
export function compileMask(mask: Mask, target: MaskTarget, prefix: string): CompiledMask {
  const { column, typeName, isArray } = target;
  if (mask.mask === "sql") return { levels: [], output: `(${mask.sql}\n)::${typeName}` };
  if (mask.mask === "null") return { levels: [], output: `NULL::${typeName}` };
  if (mask.mask === "constant") {
    const value = constantLiteral(mask.value, target);
    return {
      levels: [],
      output: `CASE WHEN ${q(column)} IS NOT NULL THEN ${value}::${typeName} END`,
    };
  }
  if (!isArray) return castTo(typeName, compileValue(mask, target, q(column), prefix));
  const [value, order] = [`${prefix}_item`, `${prefix}_order`];
  const each = compileValue(mask, target, value, `${prefix}_each`);
  const items = nestLevels(
    `unnest(${q(column)}) WITH ORDINALITY AS items(${value}, ${order})`,
    each.levels,
  );
  const shape = { array: q(column), value: `(${each.output})`, order, items };
  return { levels: [], output: `(${rebuildArray(shape, typeName)})` };
}

/** Adds intermediate columns to a source of rows, level by level. `OFFSET 0` prevents PostgreSQL from computing them repeatedly. */
export function nestLevels(
  source: string,
  levels: readonly Readonly<Record<string, string>>[],
): string {
  return levels.reduce((from, level, i) => {
    const added = Object.entries(level).map(([name, sql]) => `, ${sql} AS ${name}`);
    return `(SELECT *${added.join("")} FROM ${from} OFFSET 0) AS level_${i + 1}`;
  }, source);
}

type ValueMask = Exclude<Mask, { mask: "sql" | "null" | "constant" }>;

function compileValue(
  mask: ValueMask,
  target: MaskTarget,
  value: string,
  prefix: string,
): CompiledMask {
  const d = `${prefix}_digest`;
  const hex = `encode(${d}, 'hex')`;
  switch (mask.mask) {
    case "public":
      return { levels: [], output: value };
    case "hash":
      return hash(target, value, prefix);
    case "email": {
      const digits = emailDigits(mask.domain, target.maxLength);
      const output = `'u' || left(${hex}, ${digits}) || ${quoteLiteral(`@${mask.domain ?? defaultDomain}`)}`;
      return { levels: [{ [d]: hmac("email", valueBytes(target, value)) }], output };
    }
    case "phone": {
      const digits = phoneDigits(target.maxLength);
      const number = `(${numberOf(d)} % ${10 ** digits})::text`;
      const output = `'${phonePrefix}' || lpad(${number}, ${digits}, '0')`;
      return { levels: [{ [d]: hmac("phone", valueBytes(target, value)) }], output };
    }
    case "name": {
      const pick = (list: readonly string[], at: number): string =>
        `(ARRAY[${list.map((one) => `'${one}'`).join(",")}])[1 + ${smallNumberOf(d, at)} % ${list.length}]`;
      const name = `${pick(firstNames, 0)} || ' ' || ${pick(lastNames, 2)}`;
      const output = target.isUnique
        ? `${shortened(name, target.maxLength - nameSuffix - 1)} || ' ' || left(${hex}, ${nameSuffix})`
        : shortened(name, target.maxLength);
      return { levels: [{ [d]: hmac("name", valueBytes(target, value)) }], output };
    }
    case "partial":
      return partial(mask, target, value, prefix);
    case "date shift": {
      const bytes = textBytes(
        mask.by === undefined ? "''" : `${q(mask.by)}::text`,
        target.encoding,
      );
      const number = `${numberOf(hmac("shift", bytes))} % ${2 * mask.days} - ${mask.days}`;
      const days = `${prefix}_days`;
      // No date is shifted by 0 days: shifts from 0 are increased by 1. A shift for all rows is computed once.
      const shift = mask.by === undefined ? `(SELECT (${number})::int)` : `(${number})::int`;
      const by = `(${days} + (${days} >= 0)::int)`;
      const output =
        target.type.family === "date" ? `${value} + ${by}` : `${value} + ${by} * interval '1 day'`;
      return { levels: [{ [days]: shift }], output };
    }
    case "noise":
      return noise(mask, target, value, prefix);
  }
}

function hash(target: MaskTarget, value: string, prefix: string): CompiledMask {
  const { type, maxLength } = target;
  const d = `${prefix}_digest`;
  const levels = [{ [d]: hmac("hash", valueBytes(target, value)) }];
  if (type.family === "integer") {
    const magnitude = `CASE WHEN ${value} < 0 THEN -1 - ${value}::bigint ELSE ${value}::bigint END`;
    const permuted = permutationLevels(prefix, magnitude, integerBlocks(target.bits));
    const output = `CASE WHEN ${value} < 0 THEN -1 - ${permuted.output} ELSE ${permuted.output} END`;
    return { levels: permuted.levels, output };
  }
  if (type.family === "numeric") {
    const permuted = permutationLevels(prefix, `abs(${value})::bigint`, [
      decimalBlock(type.precision),
    ]);
    return { levels: permuted.levels, output: `sign(${value}) * ${permuted.output}` };
  }
  if (type.family === "enum") {
    const labels = type.labels.map((label) => quoteLiteral(label)).join(", ");
    const output = `(ARRAY[${labels}])[1 + ${smallNumberOf(d, 0)} % ${type.labels.length}]`;
    return { levels, output };
  }
  if (type.family === "uuid") {
    const h = `${prefix}_hex`;
    // Version 8, variant 1: custom UUIDs (RFC 9562, 5.8).
    const output = `(left(${h}, 12) || '8' || substring(${h}, 14, 3) || 'a' || substring(${h}, 18, 15))`;
    return { levels: [...levels, { [h]: `encode(${d}, 'hex')` }], output };
  }
  if (type.family === "bytea") return { levels, output: d };
  return { levels, output: `left(encode(${d}, 'hex'), ${Math.min(hashLength, maxLength)})` };
}

function partial(
  { first = 0, last = 0 }: Extract<Mask, { mask: "partial" }>,
  target: MaskTarget,
  value: string,
  prefix: string,
): CompiledMask {
  const text = `${value}::text`;
  const stars = (length: string): string => `repeat('*', ${length})`;
  if (!target.isUnique) {
    const partlyVisible = `left(${text}, ${first}) || ${stars(`length(${text}) - ${first + last}`)} || right(${text}, ${last})`;
    const output = `CASE WHEN length(${text}) > ${first + last} THEN ${partlyVisible} ELSE ${stars(`length(${text})`)} END`;
    return { levels: [], output };
  }
  const d = `${prefix}_digest`;
  const length = Math.min(hashLength, target.maxLength - first - last);
  const middle = `left(encode(${d}, 'hex'), ${length})`;
  const output = `CASE WHEN length(${text}) > ${first + last} THEN left(${text}, ${first}) || ${middle} || right(${text}, ${last}) ELSE ${middle} END`;
  return { levels: [{ [d]: hmac("hash", valueBytes(target, value)) }], output };
}

function noise(
  { percent, by }: Extract<Mask, { mask: "noise" }>,
  target: MaskTarget,
  value: string,
  prefix: string,
): CompiledMask {
  const { type, fullName, rowKey, encoding } = target;
  const keys = by === undefined ? rowKey.map(q) : [q(by)];
  const row = (keys.length > 0 ? keys : [value]).map((key) => `${key}::text`).join(", ");
  const bytes = textBytes(`concat_ws('|', ${quoteLiteral(fullName)}, ${row})`, encoding);
  const factor = `${prefix}_factor`;
  const share = `${numberOf(hmac("noise", bytes))} / 281474976710656.0::float8`;
  const levels = [{ [factor]: `1 + (2 * ${share} - 1) * ${percent / 100}::float8` }];
  if (type.family === "float") return { levels, output: `${value} * ${factor}` };
  const changed = `${value}::numeric * ${factor}::numeric`;
  if (type.family === "integer") {
    const limit = 2n ** BigInt(type.bits) - 1n;
    // greatest() ignores NULL, so NULL would become the minimum.
    const output = `CASE WHEN ${value} IS NOT NULL THEN least(greatest(round(${changed}), -${limit}), ${limit}) END`;
    return { levels, output };
  }
  const { precision, scale } =
    type.family === "numeric" ? type : { precision: Infinity, scale: Infinity };
  if (precision === Infinity) {
    // Keep the number of decimal places.
    return { levels, output: `round(${changed}, coalesce(scale(${value}), 0))` };
  }
  const limit = `(10::numeric ^ ${precision - scale} - 10::numeric ^ ${-scale})`;
  const output = `CASE WHEN abs(${value}) <= ${limit} THEN least(greatest(round(${changed}, ${scale}), -${limit}), ${limit}) ELSE ${value} END`;
  return { levels, output };
}

/** The bytes to hash; equal values of different column types give equal bytes. */
function valueBytes({ type, ignoresCase, encoding }: MaskTarget, value: string): string {
  if (type.family === "bytea") return value;
  return textBytes(ignoresCase ? `lower(${value}::text)` : `${value}::text`, encoding);
}

function constantLiteral(value: unknown, { type, isArray }: MaskTarget): string {
  if (type.family === "json" && !isArray) return quoteLiteral(JSON.stringify(value));
  if (Array.isArray(value)) {
    const items = value.map((item: unknown) =>
      item === null ? "NULL" : quoteLiteral(plain(item, type)),
    );
    return `ARRAY[${items.join(", ")}]`;
  }
  return quoteLiteral(plain(value, type));
}

function plain(value: unknown, { family }: ColumnType): string {
  return typeof value === "string" && family !== "json" ? value : JSON.stringify(value);
}

function shortened(text: string, length: number): string {
  return length === Infinity ? text : `left(${text}, ${length})`;
}

function castTo(typeName: string, { levels, output }: CompiledMask): CompiledMask {
  return { levels, output: `(${output})::${typeName}` };
}

function emailDigits(domain = defaultDomain, maxLength: number): number {
  return Math.min(24, maxLength - domain.length - 2);
}

function phoneDigits(maxLength: number): number {
  return Math.min(12, maxLength - phonePrefix.length);
}
