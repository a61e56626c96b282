import { nearest } from "../base/nearest";
import { formatBytes } from "../base/units";
import type { PostgresSetting } from "./catalogue";
import { readNumber } from "./number";

/**
 * What is wrong with a value, as far as the catalogue tells; `undefined` when nothing is.
 *
 * @param shown The value as the person wrote it.
 */
export function valueProblem(
  setting: PostgresSetting | undefined,
  value: string,
  shown: string,
): string | undefined {
  const rule = valueRule(setting, value);
  if (rule === undefined) return undefined;
  const meant = setting && nearest(value, setting.choices);
  return `must ${rule}, got ${shown}${meant === undefined ? "" : `; did you mean ${meant}?`}`;
}

/** The rule that a value breaks. */
function valueRule(setting: PostgresSetting | undefined, value: string): string | undefined {
  switch (setting?.vartype) {
    case "bool":
      return readBoolean(value) === undefined ? "be on or off" : undefined;
    case "enum":
      return readChoice(setting.choices, value) === undefined
        ? `be ${choicesOf(setting)}`
        : undefined;
    case "integer":
    case "real":
      return numberRule(setting, value);
    case "string":
    case undefined:
      return value.includes("\0") ? "not contain a zero byte" : undefined;
  }
}

/** One text for all ways to write a value: `"32 MB"`, `"32768kB"` and `"32768"` of `work_mem` are one. */
export function canonicalValue(setting: PostgresSetting | undefined, value: string): string {
  switch (setting?.vartype) {
    case "bool":
      return readBoolean(value) === false ? "off" : "on";
    case "enum":
      return readChoice(setting.choices, value) ?? value;
    case "integer":
    case "real": {
      const read = readNumber(setting, value);
      return typeof read === "number" ? String(read) : value;
    }
    case "string":
    case undefined:
      return value;
  }
}

/** Any beginning of the words that tells them apart, as PostgreSQL has it. */
function readBoolean(value: string): boolean | undefined {
  const text = value.trim().toLowerCase();
  if (text === "1" || /^(on|t(r(ue?)?)?|y(es?)?)$/.test(text)) return true;
  if (text === "0" || /^(off?|f(a(l(se?)?)?)?|no?)$/.test(text)) return false;
  return undefined;
}

function choicesOf({ choices }: PostgresSetting): string {
  const shown = choices.map((choice) => (choice === "" ? '""' : choice));
  return `${shown.slice(0, -1).join(", ")} or ${shown.at(-1) ?? ""}`;
}

/** Where on and off are among the choices, PostgreSQL takes the other words for them, too. */
function readChoice(choices: readonly string[], value: string): string | undefined {
  const exact = choices.find((choice) => choice.toLowerCase() === value.toLowerCase());
  if (exact !== undefined || !choices.includes("on")) return exact;
  const isOn = /^(true|yes|1)$/i.test(value);
  const isOff = /^(false|no|0)$/i.test(value);
  return isOn ? "on" : isOff ? "off" : undefined;
}

function numberRule(setting: PostgresSetting, value: string): string | undefined {
  const read = readNumber(setting, value);
  if (read === "not a number") return `be ${kindOf(setting)}`;
  if (read === "wrong unit") return unitProblem(setting);
  const isInside = read >= setting.min && read <= setting.max;
  return isInside
    ? undefined
    : `be from ${amount(setting, setting.min)} to ${amount(setting, setting.max)}`;
}

function kindOf({ unit, vartype }: PostgresSetting): string {
  if (unit === "") return vartype === "integer" ? "a whole number" : "a number";
  return unit.endsWith("B") ? 'a size like "32 MB"' : 'a time like "90 s"';
}

function unitProblem({ unit }: PostgresSetting): string {
  if (unit === "") return "be a number without a unit";
  if (unit.endsWith("B")) return "be a size in B, kB, MB, GB or TB, with capitals like these";
  return "be a time in us, ms, s, min, h or d";
}

/** An amount as people write it. */
function amount({ unit }: PostgresSetting, count: number): string {
  if (unit === "" || count <= 0) return String(count);
  const size = /^(\d*)([kM]?)B$/.exec(unit);
  if (!size) return `${count} ${unit}`;
  const [, blocks, prefix] = size;
  const factor = prefix === "M" ? 2 ** 20 : prefix === "k" ? 2 ** 10 : 1;
  return formatBytes(count * factor * Number(blocks || 1));
}
