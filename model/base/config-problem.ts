import { plural } from "./units";
import { nearest } from "./nearest";

/** A problem in a config file that the user must fix. */
export interface ConfigProblem {
  /** Key path, e.g. `postgres.port`. */
  readonly path: string;
  /** What is wrong, with the value and the fix, e.g. `must be from 1 to 65535, got 0`. */
  readonly text: string;
}

/** Formats all problems of a file as one message, one line each, with key paths in a column. */
export function formatProblems(file: string, problems: readonly ConfigProblem[]): string {
  const width = Math.max(...problems.map(({ path }) => path.length));
  const lines = problems.map(({ path, text }) => `  ${path.padEnd(width)}   ${text}`);
  return [`${file} has ${plural(problems.length, "problem")}`, ...lines].join("\n");
}

/** The problem of an unknown key, with the closest known key or a list of all of them. */
export function unknownKey(path: readonly PropertyKey[], known: readonly string[]): ConfigProblem {
  const suggestion = nearest(String(path.at(-1)), known);
  const fix =
    suggestion === undefined ? `valid keys are ${known.join(", ")}` : `did you mean ${suggestion}?`;
  return { path: path.join("."), text: `unknown key; ${fix}` };
}
