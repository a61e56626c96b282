import { execa } from "execa";
import { expect, test } from "vitest";
import { pulumiEnvironment } from "../../tools";
import { shownCommands } from "../support/docs/shown-commands";
import { checkout } from "../support/files/checkout";

const shown = shownCommands("pulumi");

/** The options that Pulumi itself tells of, by verb. */
const helps = new Map<string, Promise<string>>();

async function help(verb: readonly string[]): Promise<string> {
  const { stdout, stderr, exitCode } = await execa("pulumi", [...verb, "--help"], {
    cwd: checkout,
    env: pulumiEnvironment(checkout),
    reject: false,
  });
  return exitCode === 0 ? stdout : stderr;
}

const verbOf = (words: readonly string[]): string[] => {
  const [, first = "", second = ""] = words;
  return ["config", "stack", "state"].includes(first) ? [first, second] : [first];
};

test.each(shown)("$file: Pulumi knows $words", async ({ words }) => {
  const verb = verbOf(words);
  // In running text the rest may be left open.
  if (verb.at(-1) === "…" || verb.at(-1) === "") return;
  const key = verb.join(" ");
  const told = helps.get(key) ?? help(verb);
  helps.set(key, told);
  const text = await told;
  // Of a verb that it does not know, Pulumi shows the help of the one above.
  const usage = /Usage:\s+pulumi ([a-z ]+?)(?= [<[]|$)/m.exec(text)?.[1];
  const aliases = /Aliases:\s+([^\n]+)/.exec(text)?.[1]?.split(", ") ?? [];
  expect([usage?.split(" ").at(-1), ...aliases]).toContain(verb.at(-1));
  expect(usage?.split(" ")).toHaveLength(verb.length);
  const options = words.filter((word) => /^-{1,2}[a-z]/.test(word));
  for (const option of options)
    expect(text).toMatch(new RegExp(`(?:^|\\s)${option.split("=")[0]}\\b`));
});

test("pages and workflows show commands of Pulumi", () => {
  expect(shown.length).toBeGreaterThan(10);
});
