import { plural } from "./units";
import { nearest } from "./nearest";

/** Something in a settings file that a person must put right. */
export interface SettingProblem {
  /** Key path, e.g. `postgres.port`. */
  readonly path: string;
  /** What is wrong, with the value and the fix. */
  readonly text: string;
}

/** All problems of a file as one message, the key paths in a column. */
export function formatProblems(file: string, problems: readonly SettingProblem[]): string {
  const width = Math.max(...problems.map(({ path }) => path.length));
  const lines = problems.map(({ path, text }) => `  ${path.padEnd(width)}   ${text}`);
  return [`${file} has ${plural(problems.length, "problem")}`, ...lines].join("\n");
}

/** An unknown setting, with the one that was probably meant. */
export function unknownKey(path: readonly PropertyKey[], known: readonly string[]): SettingProblem {
  const meant = nearest(String(path.at(-1)), known);
  const fix = meant === undefined ? `there are ${known.join(", ")}` : `did you mean ${meant}?`;
  return { path: path.join("."), text: `unknown setting; ${fix}` };
}
