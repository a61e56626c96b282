import { expect, test } from "vitest";
import { hasRowPerLine } from "../../../../model/dump/copy-statement";

test.each([
  ["COPY public.t (a, b) FROM stdin", true],
  ["copy t from STDIN -- a", true],
  ["COPY t FROM stdin WITH (FORMAT csv)", false],
  ["COPY t FROM stdin (HEADER)", false],
  ["COPY t FROM stdin CSV", false],
  ["COPY t FROM stdin WHERE a > 1", false],
  ["COPY t FROM '/tmp/rows'", false],
  ["COPY (SELECT 1 FROM stdin) TO stdout", false],
])("each line is a row only without options: %s", (statement, expected) => {
  expect(hasRowPerLine(statement)).toBe(expected);
});
