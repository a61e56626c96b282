import { describe, expect, test } from "vitest";
import { parsePgHba } from "../../../../../model/pg-hba/text/parse";
import { compileRegex } from "../../../../../model/pg-hba/rule/regex";

// What test/load/pg-hba-agreement.test.ts and pg-hba-regexes.test.ts found out about PostgreSQL and the model had otherwise.
describe("PostgreSQL refuses", () => {
  test.each([
    ["a bound that is not closed", "x{1"],
    ["a bound that is not closed, behind others", "a{2"],
    ["a bound over 255", "x{256}"],
    ["an upper bound over 255", "x{2,300}"],
    ["a reference to a group that is not there", "\\1"],
    ["a look-ahead that is repeated", "(?=a)*"],
    ["a range from a class escape", "[\\d-x]"],
    ["a range from a class", "[[:alpha:]-z]"],
    ["a range from the end of another", "[a-b-c]"],
  ])("%s: %s", (_, regex) => {
    expect(compileRegex(regex)).toBeUndefined();
    const { problems } = parsePgHba(`local all "/${regex}" peer\n`);
    expect(problems.map(({ severity }) => severity)).toEqual(["error"]);
  });
});

describe("PostgreSQL takes", () => {
  test.each([
    ["\\B between brackets for a backslash", "[\\B]", "back\\slash", true],
    ["[[:<:]] for the beginning of a word", "[[:<:]]words", "two words", true],
    ["[[:<:]] for the beginning of a word", "[[:<:]]ords", "two words", false],
    ["[[:>:]] for the end of a word", "two[[:>:]]", "two words", true],
    ["a minus at the beginning of a range", "^[--9]+$", "-./09", true],
    ["a minus at the end for itself", "^[a-]+$", "a-", true],
    ["an escaped minus for itself", "^[a\\-z]+$", "b", false],
    ["a brace without a digit for itself", "a{,3}", "a{,3}", true],
  ])("%s: %s on %s", (_, regex, name, matches) => {
    expect(compileRegex(regex)?.(name)).toBe(matches);
  });
});
