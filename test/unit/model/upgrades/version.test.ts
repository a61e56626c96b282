import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compareVersions, isVersion, versionKey } from "../../../../model/upgrades/version";

describe("versions are in the order people mean", () => {
  test.each([
    ["3.4.0.9.0", "3.4.0.10.0"],
    ["9", "10"],
    ["1.9", "1.10"],
    ["5.10", "5.10.1"],
    ["5.10.1d", "5.10.1d1"],
    ["5.10.1d9", "5.10.1d10"],
    ["5.10.1d3", "5.10.1a1"],
    ["5.10.1a1", "5.10.1b1"],
    ["5.10.1b2", "5.10.1rc1"],
    ["5.10.1rc1", "5.10.1"],
    ["5.10.1", "5.10.2d1"],
    ["5.9.9", "5.10.0d1"],
    ["20251231235959", "20260101000000"],
    ["1.99999999999999999998", "1.99999999999999999999"],
  ])("%s comes before %s", (earlier, later) => {
    expect(compareVersions(earlier, later)).toBeLessThan(0);
    expect(compareVersions(later, earlier)).toBeGreaterThan(0);
  });

  test.each([
    ["3.4", "3.4.0.0"],
    ["03.04", "3.4"],
    ["5.10.1b", "5.10.1b0"],
    ["5.10b1", "5.10.0b1"],
    ["0", "0.0"],
  ])("%s and %s are the same", (one, other) => {
    expect(compareVersions(one, other)).toBe(0);
    expect(versionKey(one)).toBe(versionKey(other));
  });

  test.each(["", "v1", "1.", ".1", "1..2", "1.2-3", "1.2c1", "1.2b1.3", "1.2B1", "1 ", "latest"])(
    "%j is no version",
    (text) => {
      expect(isVersion(text)).toBe(false);
      expect(() => compareVersions(text, "1")).toThrow(
        `"${text}" is not a version; it must be numbers separated by dots, like 3.4.0.10.0 or 5.10.1b2`,
      );
    },
  );
});

describe("the order is total", () => {
  // Few numbers, so that versions that are the same or differ in one place come often.
  const numbers = fc.array(fc.constantFrom("0", "1", "01", "2", "9", "10", "00"), {
    minLength: 1,
    maxLength: 4,
  });
  const version = fc
    .tuple(numbers, fc.constantFrom("", "d", "a", "b", "rc"), fc.constantFrom("", "0", "1", "10"))
    .map(([parts, stage, number]) => parts.join(".") + stage + (stage === "" ? "" : number));

  test("either way round it says the same", () => {
    fc.assert(
      fc.property(version, version, (a, b) => {
        expect(Math.sign(compareVersions(a, b))).toBe(-Math.sign(compareVersions(b, a)) + 0);
      }),
    );
  });

  test("what is before the one before is before", () => {
    fc.assert(
      fc.property(version, version, version, (a, b, c) => {
        const [first = "", second = "", third = ""] = [a, b, c].sort(compareVersions);
        expect(compareVersions(first, second)).toBeLessThanOrEqual(0);
        expect(compareVersions(second, third)).toBeLessThanOrEqual(0);
        expect(compareVersions(first, third)).toBeLessThanOrEqual(0);
      }),
      { numRuns: 1000 },
    );
  });

  test("the same version has one key, and different ones have different keys", () => {
    fc.assert(
      fc.property(version, version, (a, b) => {
        expect(versionKey(a) === versionKey(b)).toBe(compareVersions(a, b) === 0);
        expect(versionKey(versionKey(a))).toBe(versionKey(a));
      }),
      { numRuns: 1000 },
    );
  });

  test("one number more is later, one stage more is earlier than its release", () => {
    fc.assert(
      fc.property(numbers, fc.constantFrom("d", "a", "b", "rc"), (parts, stage) => {
        const release = parts.join(".");
        expect(compareVersions(release, `${release}.1`)).toBeLessThan(0);
        expect(compareVersions(`${release}${stage}5`, release)).toBeLessThan(0);
      }),
    );
  });
});
