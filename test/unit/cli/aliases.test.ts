import type { Command } from "commander";
import { expect, test } from "vitest";
import { createProgram } from "../../../cli/program/program";

/** What a verb receives: its arguments and options. */
function received(...args: readonly string[]): unknown {
  const program = createProgram({ folder: () => "", exit: () => undefined });
  const [verb = ""] = args;
  const command = program.commands.find((one) => [one.name(), ...one.aliases()].includes(verb));
  let found: unknown;
  command?.action((...all: unknown[]) => {
    const self = all.at(-1) as Command;
    found = { args: self.processedArgs, options: self.opts() };
  });
  program.parse([...args], { from: "user" });
  return found;
}

test("doctor --mend is doctor --fix", () => {
  expect(received("doctor", "--fix")).toMatchObject({ options: { fix: true } });
  expect(received("doctor", "--mend")).toMatchObject({ options: { fix: true } });
});

test.each([
  [["prod"]],
  [["prod", "psql", "shop", "--", "-c", "SELECT 1"]],
  [["prod", "copy-table", "invoices", "--as", "invoices_then"]],
  [["prod", "copy-database", "--replace", "--json"]],
  [["prod", "remove"]],
])("side %j is pitr", (args) => {
  expect(received("side", ...args)).toBeDefined();
  expect(received("side", ...args)).toEqual(received("pitr", ...args));
});

test("restore --to is pitr --to", () => {
  expect(received("restore", "prod", "--to", "latest", "--for", "3 d")).toMatchObject({
    args: ["prod"],
    options: { to: "latest", for: "3 d" },
  });
  expect(received("pitr", "prod", "--to", "latest", "--for", "3 d")).toMatchObject({
    args: ["prod", "status", undefined, []],
    options: { to: "latest", for: "3 d" },
  });
});

test("the earlier verbs are not in the list of verbs", () => {
  const program = createProgram({ folder: () => "", exit: () => undefined });
  expect(program.helpInformation()).not.toMatch(/^ {2}(?:restore|side) /m);
});

test("no line of help is longer than 80 columns, where a terminal would cut its words", () => {
  const program = createProgram({ folder: () => "", exit: () => undefined });
  const verbs = [program, ...program.commands, ...program.commands.flatMap((one) => one.commands)];
  const lines = verbs.flatMap((verb) => {
    let text = "";
    verb.configureOutput({ writeOut: (part) => (text += part), getOutHelpWidth: () => 80 });
    verb.outputHelp();
    return text.split("\n");
  });
  expect(lines.filter((line) => line.length > 80)).toEqual([]);
});
