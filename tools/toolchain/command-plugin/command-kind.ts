import { type CommandOutput } from "./output";
import { hasUnknown, plain, type Value, type Values } from "./values";

/** Sends a line to whoever watches the update. */
export type Log = (line: string) => void;

/** What is wrong with an input. */
export interface Problem {
  readonly property: string;
  readonly reason: string;
}

/** What a value must be, and the words for it, which follow the name of the input. */
export interface Expectation {
  readonly is: (value: Value) => boolean;
  readonly reason: string;
}

/** A resource that runs commands: here, or on another machine. */
export interface CommandKind {
  /** Its type token. */
  readonly type: string;
  /** All of its inputs; each is also an output of the same name. */
  readonly inputs: Readonly<Record<string, Expectation>>;
  /** Inputs that must be given. */
  readonly required: readonly string[];
  /** The inputs with the defaults of the official plugin. */
  defaults(given: Values): Values;
  /** Runs a command. `previous` is the resource as it was before. */
  run(command: string, inputs: Values, previous: Values, log: Log): Promise<CommandOutput>;
  /** Outputs that are neither inputs nor printed, found after a command. */
  found?(inputs: Values): Values;
}

export const aString: Expectation = {
  is: (value) => typeof value === "string",
  reason: "must be a string",
};

export const strings: Expectation = {
  is: (value) => Array.isArray(value) && value.every((item) => typeof item === "string"),
  reason: "must be a list of strings",
};

export const stringMap: Expectation = {
  is: (value) =>
    value !== null && typeof value === "object" && strings.is(Object.values<Value>(value)),
  reason: "must be a map of strings",
};

export const anything: Expectation = { is: () => true, reason: "" };

/** Something that the official plugin has and this one has not. */
export function unsupported(fix: string): Expectation {
  return { is: () => false, reason: `is not supported by this build of the plugin; ${fix}` };
}

const loggingValues = ["stdout", "stderr", "stdoutAndStderr", "none"];

/** The inputs that every kind has. */
export const commonInputs = {
  addPreviousOutputInEnv: anything,
  create: aString,
  delete: aString,
  environment: stringMap,
  logging: {
    is: (value) => typeof value === "string" && loggingValues.includes(value),
    reason: `must be one of ${loggingValues.join(", ")}`,
  },
  stdin: aString,
  triggers: anything,
  update: aString,
} satisfies Record<string, Expectation>;

/** What is wrong with values that are known and set. */
export function problemsOf(
  given: Values,
  expected: Readonly<Record<string, Expectation>>,
  of: string,
  path = "",
): Problem[] {
  const problems: Problem[] = [];
  for (const [name, value] of Object.entries(given)) {
    const property = path + name;
    const expectation = expected[name];
    const opened = plain(value);
    if (expectation === undefined) problems.push({ property, reason: `is not an input of ${of}` });
    else if (opened !== null && !hasUnknown(opened) && !expectation.is(opened))
      problems.push({ property, reason: expectation.reason });
  }
  return problems;
}

/** Which streams are shown while a command runs. */
export function shown(inputs: Values): { readonly stdout: boolean; readonly stderr: boolean } {
  const logging = inputs["logging"] ?? "stdoutAndStderr";
  return {
    stdout: logging === "stdout" || logging === "stdoutAndStderr",
    stderr: logging === "stderr" || logging === "stdoutAndStderr",
  };
}

/** What the resource printed before, as variables for its next command, unless that is switched off. */
export function previousOutput(inputs: Values, previous: Values): Record<string, string> {
  if (inputs["addPreviousOutputInEnv"] === false) return {};
  const { stdout, stderr } = plain(previous) as Values;
  return {
    ...(typeof stdout === "string" && stdout !== "" && { PULUMI_COMMAND_STDOUT: stdout }),
    ...(typeof stderr === "string" && stderr !== "" && { PULUMI_COMMAND_STDERR: stderr }),
  };
}
