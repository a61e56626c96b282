import fc from "fast-check";
import { expect, test } from "vitest";
import {
  bytesSchema,
  formatAge,
  formatBytes,
  formatCount,
  formatDuration,
  parseBytes,
  plural,
} from "../../../../model/base/units";

test.each([
  ["2 GB", 2 * 2 ** 30],
  ["512MB", 512 * 2 ** 20],
  [" 1.5 kB ", 1536],
  ["1 KB", 1024],
  ["0 B", 0],
  ["1 TB", 2 ** 40],
  ["2 gb", undefined],
  ["2", undefined],
  ["-1 GB", undefined],
  ["1e3 MB", undefined],
  ["", undefined],
  ["2 GB of", undefined],
])("%j is %s bytes", (text, bytes) => {
  expect(parseBytes(text)).toBe(bytes);
});

test.each([
  [0, "0 B"],
  [999, "999 B"],
  [1023, "1023 B"],
  [1024, "1 kB"],
  [1536, "1.5 kB"],
  [421_888, "412 kB"],
  [2 ** 20 - 1, "1 MB"],
  [1023 * 2 ** 10, "1023 kB"],
  [2 ** 20, "1 MB"],
  [99.95 * 2 ** 20, "100 MB"],
  [1.9 * 2 ** 30, "1.9 GB"],
  [3 * 2 ** 40, "3 TB"],
  [5000 * 2 ** 40, "5000 TB"],
])("%s bytes are %s", (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});

test("a size that was formatted reads as nearly the same", () => {
  fc.assert(
    fc.property(fc.nat(2 ** 31 - 1), (bytes) => {
      const read = parseBytes(formatBytes(bytes)) ?? NaN;
      expect(Math.abs(read - bytes)).toBeLessThanOrEqual(bytes * 0.06);
    }),
  );
});

test.each([
  [0, "0 s"],
  [0.004, "0 s"],
  [0.14, "0.14 s"],
  [0.5, "0.5 s"],
  [0.994, "0.99 s"],
  [0.996, "1 s"],
  [1, "1 s"],
  [9.94, "9.9 s"],
  [9.96, "10 s"],
  [41.4, "41 s"],
  [59.4, "59 s"],
  [59.6, "1 min 00 s"],
  [126, "2 min 06 s"],
  [3599.4, "59 min 59 s"],
  [3599.6, "1 h 00 min"],
  [11_100, "3 h 05 min"],
  [7199, "2 h 00 min"],
  [100_000, "27 h 47 min"],
])("%s seconds take %s", (seconds, text) => {
  expect(formatDuration(seconds)).toBe(text);
});

test.each([
  [-5, "0 s"],
  [59.9, "59 s"],
  [60, "1 min"],
  [3599, "59 min"],
  [3600, "1 h"],
  [172_799, "47 h"],
  [172_800, "2 d"],
  [1_000_000, "11 d"],
])("%s seconds are %s old", (seconds, text) => {
  expect(formatAge(seconds)).toBe(text);
});

test("counts are grouped, and one is singular", () => {
  expect(formatCount(11_702_113)).toBe("11,702,113");
  expect([plural(0, "row"), plural(1, "row"), plural(1200, "row")]).toEqual([
    "0 rows",
    "1 row",
    "1,200 rows",
  ]);
});

test("a wrong size in a settings file is told with its value", () => {
  const { error } = bytesSchema.safeParse("2 gigs");
  expect(error?.issues.map(({ message }) => message)).toEqual([
    'must be a size like "2 GB" or "512 MB", got "2 gigs"',
  ]);
  expect(bytesSchema.parse("2 GB")).toBe(2 ** 31);
});
