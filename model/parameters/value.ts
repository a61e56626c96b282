import { nearest } from "../base/nearest";
import { formatBytes } from "../base/units";
import type { PostgresParameter } from "./catalogue";
import { readNumber } from "./numeric-value";

/**
 * Why a value is invalid according to the catalogue; `undefined` for a valid one.
 *
 * @param shown the value in the user's notation
 */
export function valueProblem(
  parameter: PostgresParameter | undefined,
  value: string,
  shown: string,
): string | undefined {
  const rule = valueRule(parameter, value);
  if (rule === undefined) return undefined;
  const suggestion = parameter && nearest(value, parameter.choices);
  return `must ${rule}, got ${shown}${suggestion === undefined ? "" : `; did you mean ${suggestion}?`}`;
}

/** The rule that a value violates. */
function valueRule(parameter: PostgresParameter | undefined, value: string): string | undefined {
  switch (parameter?.vartype) {
    case "bool":
      return readBoolean(value) === undefined ? "be on or off" : undefined;
    case "enum":
      return readChoice(parameter.choices, value) === undefined
        ? `be ${choicesOf(parameter)}`
        : undefined;
    case "integer":
    case "real":
      return numberRule(parameter, value);
    case "string":
    case undefined:
      return value.includes("\0") ? "not contain a zero byte" : undefined;
  }
}

/** Normalises a value: `"32 MB"`, `"32768kB"` and `"32768"` of `work_mem` give the same text. */
export function canonicalValue(parameter: PostgresParameter | undefined, value: string): string {
  switch (parameter?.vartype) {
    case "bool":
      return readBoolean(value) === false ? "off" : "on";
    case "enum":
      return readChoice(parameter.choices, value) ?? value;
    case "integer":
    case "real": {
      const read = readNumber(parameter, value);
      return typeof read === "number" ? String(read) : value;
    }
    case "string":
    case undefined:
      return value;
  }
}

/** PostgreSQL accepts any unambiguous prefix of the words. */
function readBoolean(value: string): boolean | undefined {
  const text = value.trim().toLowerCase();
  if (text === "1" || /^(on|t(r(ue?)?)?|y(es?)?)$/.test(text)) return true;
  if (text === "0" || /^(off?|f(a(l(se?)?)?)?|no?)$/.test(text)) return false;
  return undefined;
}

function choicesOf({ choices }: PostgresParameter): string {
  const shown = choices.map((choice) => (choice === "" ? '""' : choice));
  return `${shown.slice(0, -1).join(", ")} or ${shown.at(-1) ?? ""}`;
}

/** For enums with on and off, PostgreSQL also accepts the other boolean words. */
function readChoice(choices: readonly string[], value: string): string | undefined {
  const exact = choices.find((choice) => choice.toLowerCase() === value.toLowerCase());
  if (exact !== undefined || !choices.includes("on")) return exact;
  const isOn = /^(true|yes|1)$/i.test(value);
  const isOff = /^(false|no|0)$/i.test(value);
  return isOn ? "on" : isOff ? "off" : undefined;
}

function numberRule(parameter: PostgresParameter, value: string): string | undefined {
  const read = readNumber(parameter, value);
  if (read === "not a number") return `be ${kindOf(parameter)}`;
  if (read === "wrong unit") return unitProblem(parameter);
  const isInside = read >= parameter.min && read <= parameter.max;
  if (!isInside && parameter.name === "log_file_mode")
    return 'be an octal file mode in quotes, from "0000" to "0777"';
  return isInside
    ? undefined
    : `be from ${amount(parameter, parameter.min)} to ${amount(parameter, parameter.max)}`;
}

function kindOf({ unit, vartype }: PostgresParameter): string {
  if (unit === "") return vartype === "integer" ? "a whole number" : "a number";
  return unit.endsWith("B") ? 'a size like "32 MB"' : 'a time like "90 s"';
}

function unitProblem({ unit }: PostgresParameter): string {
  if (unit === "") return "be a number without a unit";
  if (unit.endsWith("B")) return "be a size in B, kB, MB, GB or TB (case-sensitive)";
  return "be a time in us, ms, s, min, h or d";
}

/** Formats a number in the unit of a parameter. */
function amount({ unit }: PostgresParameter, count: number): string {
  if (unit === "" || count <= 0) return String(count);
  const size = /^(\d*)([kM]?)B$/.exec(unit);
  if (!size) return `${count} ${unit}`;
  const [, blocks, prefix] = size;
  const factor = prefix === "M" ? 2 ** 20 : prefix === "k" ? 2 ** 10 : 1;
  return formatBytes(count * factor * Number(blocks || 1));
}
