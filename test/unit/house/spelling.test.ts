import { expect, test } from "vitest";
import { readSource } from "./sources";

test("the word list of the spelling check is sorted and without doubles", () => {
  const words = readSource("tools/spelling.txt").trimEnd().split("\n");
  const sorted = [...new Set(words.map((word) => word.toLowerCase()))].sort();
  expect(words.map((word) => word.toLowerCase())).toEqual(sorted);
});
