import { isDeepStrictEqual } from "node:util";
import { inputProblems, type CommandKind, type Log, type InputProblem } from "./command-kind";
import { hasSecret, hasUnknown, unwrap, secret, unknown, type Value, type Values } from "./values";

interface Difference {
  readonly property: string;
  readonly kind: "add" | "delete" | "update";
  readonly replaces: boolean;
}

/** The inputs with defaults, and their problems. */
export function checkInputs(
  kind: CommandKind,
  news: Values,
): { inputs: Values; problems: InputProblem[] } {
  const inputs = kind.defaults(news);
  const missing = kind.required
    .filter((property) => unwrap(inputs[property] ?? null) === null)
    .map((property) => ({ property, reason: "must be given" }));
  return { inputs, problems: [...missing, ...inputProblems(inputs, kind.inputs, kind.type)] };
}

/** The changed inputs: changed triggers replace the resource, all others update it. */
export function diff(kind: CommandKind, olds: Values, news: Values): Difference[] {
  const differences: Difference[] = [];
  for (const property of Object.keys(kind.inputs).sort()) {
    const before = unwrap(olds[property] ?? null);
    const after = unwrap(news[property] ?? null);
    if (!hasUnknown(after) && isDeepStrictEqual(before, after)) continue;
    const how = before === null ? "add" : after === null ? "delete" : "update";
    differences.push({ property, kind: how, replaces: property === "triggers" });
  }
  return differences;
}

/** The outputs of a resource in a preview. */
export function previewed(inputs: Values, command: Value | undefined, olds: Values = {}): Values {
  if (command !== undefined) return { ...inputs, stdout: unknown, stderr: unknown };
  return { ...inputs, stdout: olds["stdout"] ?? "", stderr: olds["stderr"] ?? "" };
}

/** The command of an update: `update`, or else `create`. */
export function updateText(news: Values): Value | undefined {
  return news["update"] ?? news["create"] ?? undefined;
}

/** Runs `command`, if it is set, and returns the outputs of the resource. */
export async function apply(
  kind: CommandKind,
  command: Value | undefined,
  inputs: Values,
  olds: Values,
  log: Log,
): Promise<Values> {
  const retained: Values = {};
  for (const name of ["stdout", "stderr", "assets"]) {
    const value = olds[name];
    if (value !== undefined) retained[name] = value;
  }
  if (command === undefined || command === null) {
    return { ...inputs, stdout: "", stderr: "", ...retained };
  }
  // `checkInputs` ensures that it is a string.
  const text = unwrap(command) as string;
  const output = await kind.run(text, unwrap(inputs) as Values, olds, log);
  const secrets = Object.values(inputs).some(hasSecret);
  return {
    ...inputs,
    ...kind.found?.(inputs),
    stdout: secrets ? secret(output.stdout) : output.stdout,
    stderr: secrets ? secret(output.stderr) : output.stderr,
  };
}
