import { readdirSync } from "node:fs";
import { join, relative } from "node:path";
import {
  aString,
  commonInputs,
  previousOutput,
  shownStreams,
  strings,
  unsupported,
  type CommandKind,
  type Log,
} from "./command-kind";
import { type CommandOutput } from "./output";
import { runCommand } from "./run-command";
import { unwrap, signature, type Value, type Values } from "./values";

/** `local.Command`: runs commands on this machine. */
export const localCommand: CommandKind = {
  type: "command:local:Command",
  inputs: {
    ...commonInputs,
    archivePaths: unsupported("use assetPaths"),
    assetPaths: strings,
    dir: aString,
    interpreter: strings,
  },
  required: [],
  defaults: (given) => ({ addPreviousOutputInEnv: true, ...given }),
  run,
  found: assets,
};

/** `local.run` and `local.runOutput`: runs a command on each call, also in a preview. */
export async function invoke(args: Values, log: Log): Promise<Values> {
  const given = unwrap(args) as Values;
  const { command } = given;
  const output = await run(typeof command === "string" ? command : "", given, {}, log);
  return { ...args, ...assets(args), stdout: output.stdout, stderr: output.stderr };
}

async function run(
  command: string,
  inputs: Values,
  previous: Values,
  log: Log,
): Promise<CommandOutput> {
  const interpreter = stringsOf(inputs["interpreter"]);
  const stdin = inputs["stdin"];
  return await runCommand({
    command,
    interpreter: interpreter.length > 0 ? interpreter : ["/bin/sh", "-c"],
    dir: dirOf(inputs),
    environment: {
      ...previousOutput(inputs, previous),
      ...(inputs["environment"] as Record<string, string> | undefined),
    },
    stdin: typeof stdin === "string" && stdin !== "" ? stdin : undefined,
    log: { ...shownStreams(inputs), line: log },
  });
}

/** The files that match `assetPaths`, as Pulumi file assets; a pattern with `!` excludes files. */
function assets(inputs: Values): Values {
  const given = unwrap(inputs) as Values;
  const patterns = stringsOf(given["assetPaths"]);
  if (patterns.length === 0) return {};
  const dir = dirOf(given);
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

/** `*` matches within one folder, `**` across folders, `?` one character. */
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

function dirOf({ dir }: Values): string {
  return typeof dir === "string" ? dir : process.cwd();
}

function stringsOf(value: Value | undefined): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}
