import { type CommandOutput } from "./output";
import { hasUnknown, unwrap, type Value, type Values } from "./values";

/** Logs a line of output to Pulumi. */
export type Log = (line: string) => void;

/** A problem with an input. */
export interface InputProblem {
  readonly property: string;
  readonly reason: string;
}

/** The type expected of a value, and the error message, which follows the name of the input. */
export interface Expectation {
  readonly is: (value: Value) => boolean;
  readonly reason: string;
}

/** A kind of resource that runs commands, locally or on another machine. */
export interface CommandKind {
  /** Its type token. */
  readonly type: string;
  /** All inputs; each is also an output with the same name. */
  readonly inputs: Readonly<Record<string, Expectation>>;
  /** Required inputs. */
  readonly required: readonly string[];
  /** Adds the defaults of the official plugin to inputs. */
  defaults(given: Values): Values;
  /** Runs a command. `previous` is the previous state of the resource. */
  run(command: string, inputs: Values, previous: Values, log: Log): Promise<CommandOutput>;
  /** Further outputs, computed after a command. */
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

/** An input of the official plugin that this one lacks. */
export function unsupported(fix: string): Expectation {
  return { is: () => false, reason: `is not supported by this build of the plugin; ${fix}` };
}

const loggingValues = ["stdout", "stderr", "stdoutAndStderr", "none"];

/** The inputs of every kind. */
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

/** Problems of the inputs that are known and set. */
export function inputProblems(
  given: Values,
  expected: Readonly<Record<string, Expectation>>,
  of: string,
  path = "",
): InputProblem[] {
  const problems: InputProblem[] = [];
  for (const [name, value] of Object.entries(given)) {
    const property = path + name;
    const expectation = expected[name];
    const unwrapped = unwrap(value);
    if (expectation === undefined) problems.push({ property, reason: `is not an input of ${of}` });
    else if (unwrapped !== null && !hasUnknown(unwrapped) && !expectation.is(unwrapped))
      problems.push({ property, reason: expectation.reason });
  }
  return problems;
}

/** The streams to log while a command runs. */
export function shownStreams(inputs: Values): {
  readonly stdout: boolean;
  readonly stderr: boolean;
} {
  const logging = inputs["logging"] ?? "stdoutAndStderr";
  return {
    stdout: logging === "stdout" || logging === "stdoutAndStderr",
    stderr: logging === "stderr" || logging === "stdoutAndStderr",
  };
}

/** The previous output of the resource, as environment variables of its next command, unless disabled. */
export function previousOutput(inputs: Values, previous: Values): Record<string, string> {
  if (inputs["addPreviousOutputInEnv"] === false) return {};
  const { stdout, stderr } = unwrap(previous) as Values;
  return {
    ...(typeof stdout === "string" && stdout !== "" && { PULUMI_COMMAND_STDOUT: stdout }),
    ...(typeof stderr === "string" && stderr !== "" && { PULUMI_COMMAND_STDERR: stderr }),
  };
}
