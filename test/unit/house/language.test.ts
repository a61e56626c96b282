import { describe, expect, test } from "vitest";
import allowances from "./allowances.json";
import rules from "./discouraged-words.json";
import { readSource, sourcePaths } from "./sources";
import { covers, findHits, type Allowance } from "./wording";

const allowed: readonly Allowance[] = allowances;
const hits = sourcePaths().flatMap((path) => findHits(path, readSource(path), rules));

test("code, messages, help and pages use the field's words", () => {
  const lines = hits
    .filter((hit) => !allowed.some((allowance) => covers(allowance, hit)))
    .map(({ path, line, word, use }) => `${path}:${String(line)}: "${word}"; use: ${use}`);
  expect(lines).toEqual([]);
});

test.each(allowed)("the allowance of $word in $files is used and has a reason", (allowance) => {
  expect(hits.some((hit) => covers(allowance, hit))).toBe(true);
  expect(allowance.reason).not.toBe("");
});

describe("this test finds", () => {
  const find = (text: string): string[] =>
    findHits("x.ts", text, rules).map(({ line, word }) => `${String(line)}: ${word}`);

  test("a wording in a sentence, whatever its case", () => {
    expect(find("fine\nSettings In Force.")).toEqual(["2: in force"]);
  });

  test("a wording in a part of an identifier", () => {
    expect(find("const patienceMs = 1; lookedAfter()")).toEqual(["1: looked after", "1: patience"]);
  });

  test("nothing in plain English", () => {
    expect(find("The agent rejects the request; the update fails and nothing changes.")).toEqual(
      [],
    );
  });
});

describe("an allowance covers", () => {
  const allowance = { files: "agent/.*\\.ts", word: "by hand", reason: "name of a stored job" };
  const hit = { path: "agent/jobs/a.ts", line: 1, word: "by hand", use: "manually" };

  test("its word in its files", () => {
    expect(covers(allowance, hit)).toBe(true);
  });

  test("no other word and no other file", () => {
    expect(covers(allowance, { ...hit, word: "anew" })).toBe(false);
    expect(covers(allowance, { ...hit, path: "cli/agent/a.ts" })).toBe(false);
  });
});
