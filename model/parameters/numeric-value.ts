import type { PostgresParameter } from "./catalogue";

/** Units of a parameter's value, largest first, in bytes or seconds. PostgreSQL manual, 19.1.1. */
const sizes = { TB: 2 ** 40, GB: 2 ** 30, MB: 2 ** 20, kB: 2 ** 10, B: 1 };
const times = { d: 86_400, h: 3600, min: 60, s: 1, ms: 1e-3, us: 1e-6 };

/**
 * Parses `"32 MB"`, `"0.5h"` or `"8192"` into the parameter's unit, rounded as PostgreSQL does: a fraction to the next
 * smaller unit, then integers to the nearest whole number.
 */
export function readNumber(
  parameter: PostgresParameter,
  text: string,
): number | "not a number" | "wrong unit" {
  const match = /^\s*([+-]?(?:0x[\da-f]+|(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?))\s*([a-z]*)\s*$/i.exec(
    text,
  );
  if (!match) return "not a number";
  const value = numberOf(match[1] ?? "", parameter.vartype);
  if (value === undefined) return "not a number";
  const unit = match[2] ?? "";
  const counted = unit === "" ? value : convert(value, unit, parameter.unit);
  if (counted === undefined) return "wrong unit";
  return parameter.vartype === "integer" ? roundHalfEven(counted) : counted;
}

/** PostgreSQL reads integers as C does: 0640 is octal, unless a fraction or an exponent follows. */
function numberOf(text: string, vartype: string): number | undefined {
  const [, sign, digits] = /^([+-]?)0(\d+)$/.exec(text) ?? [];
  if (digits === undefined || vartype !== "integer") return Number(text);
  return /^[0-7]+$/.test(digits) ? (sign === "-" ? -1 : 1) * parseInt(digits, 8) : undefined;
}

function convert(value: number, unit: string, base: string): number | undefined {
  const [, blocks = "", baseUnit = ""] = /^(\d*)(\w*)$/.exec(base) ?? [];
  const table: Readonly<Record<string, number>> = baseUnit.endsWith("B") ? sizes : times;
  const one = table[baseUnit];
  const own = Object.hasOwn(table, unit) ? table[unit] : undefined;
  if (one === undefined || own === undefined) return undefined;
  const inBase = (size: number): number => size / (one * Number(blocks || 1));
  const counted = value * inBase(own);
  const units = Object.keys(table);
  const smaller = table[units[units.indexOf(unit) + 1] ?? ""];
  if (smaller === undefined) return counted;
  return roundHalfEven(counted / inBase(smaller)) * inBase(smaller);
}

function roundHalfEven(value: number): number {
  const down = Math.floor(value);
  if (value - down !== 0.5) return Math.round(value);
  return down % 2 === 0 ? down : down + 1;
}
