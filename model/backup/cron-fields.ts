/** A field of a schedule. */
export interface CronField {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  /** Names of its values, starting with that of `min`. */
  readonly words: readonly string[];
}

const months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const days = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
/** The fields of a schedule, in their order. crontab(5). */
export const cronFields: readonly CronField[] = [
  { name: "minute", min: 0, max: 59, words: [] },
  { name: "hour", min: 0, max: 23, words: [] },
  { name: "day of the month", min: 1, max: 31, words: [] },
  { name: "month", min: 1, max: 12, words: months },
  { name: "day of the week", min: 0, max: 7, words: days },
];

/** Why a field is invalid, in a sentence; `undefined` if it is valid. */
export function fieldProblem(text: string, field: CronField): string | undefined {
  for (const item of text.split(",")) {
    const problem = itemProblem(item, field);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function itemProblem(item: string, field: CronField): string | undefined {
  const { name, min, max } = field;
  const match = /^(\*|\w+(?:-\w+)?)(?:\/(\w+))?$/.exec(item);
  if (!match)
    return `${name} must be a number, a range like 1-5, a list, * or */5, got ${shown(item)}`;
  const [, range = "", step] = match;
  if (step !== undefined && !(/^\d{1,4}$/.test(step) && Number(step) > 0)) {
    return `the step of ${name} must be a number from 1, got ${shown(step)}`;
  }
  const most = max - min + 1;
  if (step !== undefined && Number(step) > most) {
    return `the step of ${name} must be at most ${most}, got ${step}; list the times instead, such as ${stepExample(field)}`;
  }
  if (range === "*") return undefined;
  const ends = range.split("-");
  if (step !== undefined && ends.length === 1) {
    return `${name} must have a range before its step, such as */${step}, got ${shown(item)}`;
  }
  const values: number[] = [];
  for (const end of ends) {
    const value = valueOf(end, field);
    if (value === undefined) return `${name} must be ${allowed(field)}, got ${end}`;
    values.push(value);
  }
  const [from = 0, to = from] = values;
  return from > to ? `${name} must be an ascending range, got ${shown(item)}` : undefined;
}

function valueOf(text: string, { min, max, words }: CronField): number | undefined {
  const word = words.indexOf(text.toLowerCase());
  if (word >= 0) return word + min;
  if (!/^\d{1,4}$/.test(text)) return undefined;
  const value = Number(text);
  return value >= min && value <= max ? value : undefined;
}

function allowed({ min, max, words }: CronField): string {
  const [first, last] = [words[0], words.at(-1)];
  const named = first === undefined || last === undefined ? "" : ` or ${first}–${last}`;
  return `${min}–${max}${named}`;
}

const shown = (text: string): string => (text === "" ? "nothing" : text);

/** A list of times for a step that is too long for a field. */
function stepExample({ name }: CronField): string {
  return name === "minute" ? "0 0,3,6 * * *" : "0 3 1,15 * *";
}
