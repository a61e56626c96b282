import { readdirSync } from "node:fs";
import { join, relative } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { type CommandOutput, runCommand } from "./run-command";
import {
  hasSecret,
  hasUnknown,
  plain,
  secret,
  signature,
  unknown,
  type Value,
  type Values,
} from "./values";

/** The inputs of `local.Command`; each is also an output of the same name. */
const inputNames = [
  "addPreviousOutputInEnv",
  "archivePaths",
  "assetPaths",
  "create",
  "delete",
  "dir",
  "environment",
  "interpreter",
  "logging",
  "stdin",
  "triggers",
  "update",
] as const;

const loggingValues = ["stdout", "stderr", "stdoutAndStderr", "none"];

interface Difference {
  readonly property: string;
  readonly kind: "add" | "delete" | "update";
  readonly replaces: boolean;
}

interface Problem {
  readonly property: string;
  readonly reason: string;
}

type Log = (line: string) => void;

/** The inputs with their defaults, and what is wrong with them. */
export function check(news: Values): { inputs: Values; problems: Problem[] } {
  const inputs: Values = { addPreviousOutputInEnv: true, ...news };
  const problems: Problem[] = [];
  const expect = (property: string, is: (value: Value) => boolean, reason: string): void => {
    const value = plain(inputs[property] ?? null);
    if (value !== null && !hasUnknown(value) && !is(value)) problems.push({ property, reason });
  };
  for (const name of ["create", "update", "delete", "dir", "stdin"]) {
    expect(name, (value) => typeof value === "string", "must be a string");
  }
  expect("interpreter", isStrings, "must be a list of strings");
  expect("assetPaths", isStrings, "must be a list of strings");
  expect(
    "environment",
    (value) => value !== null && typeof value === "object" && isStrings(Object.values(value)),
    "must be a map of strings",
  );
  expect(
    "logging",
    (value) => typeof value === "string" && loggingValues.includes(value),
    `must be one of ${loggingValues.join(", ")}`,
  );
  expect(
    "archivePaths",
    () => false,
    "is not supported by this build of the plugin; use assetPaths",
  );
  for (const property of Object.keys(inputs)) {
    if (!(inputNames as readonly string[]).includes(property)) {
      problems.push({ property, reason: "is not an input of command:local:Command" });
    }
  }
  return { inputs, problems };
}

/** Changed triggers replace the command, any other changed input updates it. */
export function diff(olds: Values, news: Values): Difference[] {
  const differences: Difference[] = [];
  for (const property of inputNames) {
    const before = plain(olds[property] ?? null);
    const after = plain(news[property] ?? null);
    if (!hasUnknown(after) && isDeepStrictEqual(before, after)) continue;
    const kind = before === null ? "add" : after === null ? "delete" : "update";
    differences.push({ property, kind, replaces: property === "triggers" });
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
  const output = await run(command, inputs, olds, log);
  const secrets = Object.values(inputs).some(hasSecret);
  return {
    ...inputs,
    ...assets(inputs),
    stdout: secrets ? secret(output.stdout) : output.stdout,
    stderr: secrets ? secret(output.stderr) : output.stderr,
  };
}

/** `local.run` and `local.runOutput`: runs a command each time it is called, at preview too. */
export async function invoke(args: Values, log: Log): Promise<Values> {
  const output = await run(args["command"] ?? "", args, {}, log);
  return { ...args, ...assets(args), stdout: output.stdout, stderr: output.stderr };
}

async function run(
  command: Value,
  inputs: Values,
  previous: Values,
  log: Log,
): Promise<CommandOutput> {
  const given = plain(inputs) as Values;
  const logging = given["logging"] ?? "stdoutAndStderr";
  const environment: Record<string, string> = {};
  if (given["addPreviousOutputInEnv"] !== false) {
    const { stdout, stderr } = plain(previous) as Values;
    if (typeof stdout === "string" && stdout !== "") environment["PULUMI_COMMAND_STDOUT"] = stdout;
    if (typeof stderr === "string" && stderr !== "") environment["PULUMI_COMMAND_STDERR"] = stderr;
  }
  const interpreter = strings(given["interpreter"]);
  const stdin = given["stdin"];
  return await runCommand({
    command: text(plain(command)),
    interpreter: interpreter.length > 0 ? interpreter : ["/bin/sh", "-c"],
    dir: typeof given["dir"] === "string" ? given["dir"] : process.cwd(),
    environment: {
      ...environment,
      ...(given["environment"] as Record<string, string> | undefined),
    },
    stdin: typeof stdin === "string" && stdin !== "" ? stdin : undefined,
    log: {
      stdout: logging === "stdout" || logging === "stdoutAndStderr",
      stderr: logging === "stderr" || logging === "stdoutAndStderr",
      line: log,
    },
  });
}

/** The files that `assetPaths` name, as Pulumi's file assets; a pattern with `!` leaves files out. */
function assets(inputs: Values): Values {
  const given = plain(inputs) as Values;
  const patterns = strings(given["assetPaths"]);
  if (patterns.length === 0) return {};
  const dir = typeof given["dir"] === "string" ? given["dir"] : process.cwd();
  const found = new Map<string, Value>();
  for (const entry of readdirSync(dir, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const name = relative(dir, path);
    for (const pattern of patterns) {
      if (!globExpression(pattern.replace(/^!/, "")).test(name)) continue;
      if (pattern.startsWith("!")) found.delete(name);
      else found.set(name, fileAsset(path));
    }
  }
  return { assets: Object.fromEntries(found) };
}

/** `*` is anything within one folder, `**` anything at all, `?` one character. */
function globExpression(pattern: string): RegExp {
  const source = pattern.replace(/\*\*|[*?]|[.+^${}()|[\]\\]/g, (part) => {
    if (part === "**") return ".*";
    if (part === "*") return "[^/]*";
    return part === "?" ? "[^/]" : `\\${part}`;
  });
  return new RegExp(`^${source}$`, "s");
}

function fileAsset(path: string): Value {
  return { [signature]: "c44067f5952c0a294b673a41bacd8c17", path };
}

function strings(value: Value | undefined): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}

/** `check` has seen to it that it is a string. */
function text(value: Value): string {
  return typeof value === "string" ? value : "";
}

function isStrings(value: Value): boolean {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}
