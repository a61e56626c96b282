import { isDeepStrictEqual } from "node:util";
import { problemsOf, type CommandKind, type Log, type Problem } from "./command-kind";
import { hasSecret, hasUnknown, plain, secret, unknown, type Value, type Values } from "./values";

interface Difference {
  readonly property: string;
  readonly kind: "add" | "delete" | "update";
  readonly replaces: boolean;
}

/** The inputs with their defaults, and what is wrong with them. */
export function check(kind: CommandKind, news: Values): { inputs: Values; problems: Problem[] } {
  const inputs = kind.defaults(news);
  const missing = kind.required
    .filter((property) => plain(inputs[property] ?? null) === null)
    .map((property) => ({ property, reason: "must be given" }));
  return { inputs, problems: [...missing, ...problemsOf(inputs, kind.inputs, kind.type)] };
}

/** Changed triggers replace the command, any other changed input updates it. */
export function diff(kind: CommandKind, olds: Values, news: Values): Difference[] {
  const differences: Difference[] = [];
  for (const property of Object.keys(kind.inputs).sort()) {
    const before = plain(olds[property] ?? null);
    const after = plain(news[property] ?? null);
    if (!hasUnknown(after) && isDeepStrictEqual(before, after)) continue;
    const how = before === null ? "add" : after === null ? "delete" : "update";
    differences.push({ property, kind: how, replaces: property === "triggers" });
  }
  return differences;
}

/** What a preview shows of a command that would run. */
export function previewed(inputs: Values, command: Value | undefined, olds: Values = {}): Values {
  if (command !== undefined) return { ...inputs, stdout: unknown, stderr: unknown };
  return { ...inputs, stdout: olds["stdout"] ?? "", stderr: olds["stderr"] ?? "" };
}

/** The text that an update runs: `update`, or else `create`. */
export function updateText(news: Values): Value | undefined {
  return news["update"] ?? news["create"] ?? undefined;
}

/** Runs `command` (nothing when it is not set) and returns the outputs of the resource. */
export async function apply(
  kind: CommandKind,
  command: Value | undefined,
  inputs: Values,
  olds: Values,
  log: Log,
): Promise<Values> {
  const kept: Values = {};
  for (const name of ["stdout", "stderr", "assets"]) {
    const value = olds[name];
    if (value !== undefined) kept[name] = value;
  }
  if (command === undefined || command === null) {
    return { ...inputs, stdout: "", stderr: "", ...kept };
  }
  // `check` has seen to it that it is a string.
  const text = plain(command) as string;
  const output = await kind.run(text, plain(inputs) as Values, olds, log);
  const secrets = Object.values(inputs).some(hasSecret);
  return {
    ...inputs,
    ...kind.found?.(inputs),
    stdout: secrets ? secret(output.stdout) : output.stdout,
    stderr: secrets ? secret(output.stderr) : output.stderr,
  };
}
