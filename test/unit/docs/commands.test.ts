import { CommanderError, type Command } from "commander";
import { describe, expect, test } from "vitest";
import packageJson from "../../../package.json";
import { createProgram } from "../../../cli/program/program";
import { codeOf, scriptsOf, shownCommands } from "../../support/docs/shown-commands";

/** The program, with verbs that do nothing. */
function quietProgram(): Command {
  const program = createProgram({ folder: () => "", exit: () => undefined });
  quieten(program.commands);
  return program.configureOutput({ writeErr: () => undefined, writeOut: () => undefined });
}

function quieten(commands: readonly Command[]): void {
  for (const command of commands) {
    command.action(() => undefined);
    command
      .exitOverride()
      .configureOutput({ writeErr: () => undefined, writeOut: () => undefined });
    quieten(command.commands);
  }
}

/** What the program has against a command line; `undefined` when it would run it. */
function refusal(args: readonly string[]): string | undefined {
  try {
    quietProgram().parse(args.map(filledIn), { from: "user" });
    return undefined;
  } catch (error) {
    if (error instanceof CommanderError && /^commander\.(?:help|version)/.test(error.code))
      return undefined;
    return (error as Error).message;
  }
}

/** Something that a placeholder may stand for. */
function filledIn(word: string): string {
  if (/^(?:<stack>|\$STACK|"\$STACK")$/.test(word)) return "staging";
  return word;
}

const verbs = quietProgram().commands.map((command) => command.name());
const shown = shownCommands("npx stagecraft").map(({ file, words }) => ({
  file,
  line: words.join(" "),
  args: words.slice(2),
}));

test("pages and workflows show commands at all", () => {
  expect(shown.length).toBeGreaterThan(20);
  expect(new Set(shown.map(({ file }) => file)).size).toBeGreaterThan(5);
});

// A mention of the program without a verb, or of a verb with what follows left open, is no command.
const whole = shown.filter(
  ({ args }) => args.length > 0 && !args.some((word) => /^…$|…$|\|/.test(word)),
);

test.each(whole)("$file: $line", ({ args }) => {
  expect(refusal(args)).toBeUndefined();
});

test.each(shown.filter((one) => !whole.includes(one)))("$file names a verb: $line", ({ args }) => {
  const verb = args[0]?.replace(/…$/, "") ?? "";
  if (verb !== "" && !verb.includes("|")) expect(verbs).toContain(verb);
});

test.each(shownCommands("npm"))("$file: npm as shown ($words)", ({ words }) => {
  const [, verb = "", ...rest] = words;
  if (["ci", "install"].includes(verb)) return;
  const script = verb === "run" ? (rest[0] ?? "") : verb;
  expect(Object.keys(packageJson.scripts)).toContain(script);
  const args = rest.slice(rest.indexOf("--") + 1);
  if (script === "start" && rest.includes("--"))
    expect(refusal(["start", ...args])).toBeUndefined();
});

describe("this test sees", () => {
  test("a verb, an option, an argument and a stack that do not exist", () => {
    expect(refusal(["stauts"])).toContain("unknown command 'stauts'");
    expect(refusal(["status", "--josn"])).toContain("unknown option '--josn'");
    expect(refusal(["status", "dev", "prod"])).toContain("too many arguments");
    expect(refusal(["up", "nowhere"])).toContain('unknown stack "nowhere"');
    expect(refusal(["up"])).toContain("missing required argument 'stack'");
    expect(refusal(["status", "<stack>", "--json"])).toBeUndefined();
  });

  test("commands in blocks, in backticks and in steps", () => {
    const page =
      "Say `npx stagecraft a`.\n\n```sh\nnpx stagecraft b   # c\n```\n\n```sql\nnpx stagecraft d\n```\n";
    expect(codeOf(page)).toEqual(["npx stagecraft b   # c", "", "npx stagecraft a"]);
    const job =
      "jobs:\n  a:\n    steps:\n      - run: |\n          one\n          two\n      - uses: x\n  b:\n    script:\n      - three\n";
    expect(scriptsOf(job)).toEqual(["one", "two", "", "three"]);
  });
});
