import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { describe, expect, test } from "vitest";
import { checkout } from "../../support/files/checkout";
import { longest } from "../../support/run/slowest-first.mjs";

const under = (folder: string): string[] =>
  readdirSync(join(checkout, folder), { recursive: true, encoding: "utf8" })
    .map((name) => `${folder}/${name}`)
    .filter((name) => /\.m?ts$/.test(name));

const read = (file: string): string => readFileSync(join(checkout, file), "utf8");

/** The folders directly below this one. */
const rooms = (folder: string): string[] =>
  readdirSync(join(checkout, folder)).filter((name) =>
    statSync(join(checkout, folder, name)).isDirectory(),
  );

/** What a file changes in one test and so leaves to the next: variables declared outside of its tests. */
function sharedBetweenTests(file: string, text: string): string[] {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const outside = new Set<string>();
  const assigned = new Set<string>();
  const isTest = (node: ts.Node): boolean =>
    ts.isCallExpression(node) && /^(?:test|it)\b/.test(node.expression.getText(source));
  const visit = (node: ts.Node, inTest: boolean): void => {
    if (ts.isVariableDeclarationList(node) && (node.flags & ts.NodeFlags.Let) !== 0 && !inTest)
      for (const { name } of node.declarations) outside.add(name.getText(source));
    const isAssignment =
      ts.isBinaryExpression(node) &&
      node.operatorToken.kind >= ts.SyntaxKind.FirstAssignment &&
      node.operatorToken.kind <= ts.SyntaxKind.LastAssignment;
    if (inTest && isAssignment) assigned.add(node.left.getText(source));
    ts.forEachChild(node, (child) => {
      visit(child, inTest || isTest(node));
    });
  };
  visit(source, false);
  return [...assigned].filter((name) => outside.has(name));
}

describe("a file of agent tests", () => {
  const files = under("test/agent").filter((file) => file.endsWith(".test.ts"));

  test("is in a room that the agent has", () => {
    expect(
      rooms("test/agent").filter((room) => !existsSync(join(checkout, "agent", room))),
    ).toEqual([]);
  });

  test("lets each test run alone, or says in its name that it is one story", () => {
    const alone = files.filter((file) => !file.endsWith(".story.test.ts"));
    expect(alone.length).toBeGreaterThan(25);
    const shared = alone.flatMap((file) =>
      sharedBetweenTests(file, read(file)).map((name) => `${file}: ${name}`),
    );
    expect(shared).toEqual([]);
  });

  test("that shares a variable between its tests is found", () => {
    const text = `let a = 1; let b = 2; beforeAll(() => { b = 3; }); test("one", () => { a = 2; let c; c = 1; });`;
    expect(sharedBetweenTests("some.test.ts", text)).toEqual(["a"]);
  });
});

test("unit tests are in the rooms of what they test", () => {
  const missing = ["agent", "cli", "components", "model"].flatMap((layer) =>
    rooms(`test/unit/${layer}`)
      .map((room) => `${layer}/${room}`)
      .filter((room) => !existsSync(join(checkout, room))),
  );
  expect(missing).toEqual([]);
});

test("the files that take longest are there", () => {
  expect(longest.filter((file) => !existsSync(join(checkout, file)))).toEqual([]);
});

describe("no test against real servers", () => {
  const own = ["test/support/time/limit.mts", "test/support/time/until.ts"];
  const files = under("test").filter(
    (file) => !/^test\/(?:unit|bench)\//.test(file) && !own.includes(file),
  );
  const linesWith = (pattern: RegExp): string[] =>
    files.flatMap((file) =>
      read(file)
        .split("\n")
        .filter((line) => pattern.test(line))
        .map((line) => `${file}: ${line.trim()}`),
    );

  test("has a time limit that does not scale with the machine", () => {
    const limits = /\b(?:testT|hookT|t)imeout: \d|Date\.now\(\) \+ [\d_]{4,}|^\s*\}, [\d_]{4,}\);$/;
    expect(linesWith(limits)).toEqual([]);
  });

  test("counts how often it has looked instead of using until()", () => {
    expect(linesWith(/\btries > \d/)).toEqual([]);
  });

  test("is retried", () => {
    expect(linesWith(/\bretry: \d/)).toEqual([]);
  });
});
