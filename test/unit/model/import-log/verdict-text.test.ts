import { expect, test } from "vitest";
import type { ImportEvent } from "../../../../model/import-log/event";
import {
  eventLine,
  failureLines,
  rowsLine,
  verdictLine,
} from "../../../../model/import-log/verdict-text";
import type { Cause, Verdict } from "../../../../model/import-log/verdict-schema";

const passed: Verdict = {
  outcome: "passed",
  messages: { all: 0, prelude: 0, harmless: 0 },
  causes: [],
  furtherCauses: 0,
  notes: [],
  rows: [],
  roles: [],
};

const damaged: ImportEvent = {
  severity: "ERROR",
  sqlstate: "22021",
  phase: "data",
  message: 'invalid byte sequence for encoding "UTF8": 0xc3 0x28',
  context: "COPY im_notes, line 88112",
  object: "TABLE public.im_notes",
  statement: "COPY public.im_notes (note) FROM stdin",
  line: 2310,
};

const cause = (event: Partial<ImportEvent>, rest: Partial<Cause> = {}): Cause => ({
  event: { ...damaged, ...event },
  consequences: 0,
  examples: [],
  ...rest,
});

test("a verdict that passed is one word", () => {
  expect(verdictLine(passed)).toBe("passed");
});

test("a verdict that passed with notes tells them by kind", () => {
  const outcome = "passed with notes";
  const messages = { all: 412, prelude: 412, harmless: 412 };
  expect(verdictLine({ ...passed, outcome, messages })).toBe(
    "passed with notes: 412 messages in the prelude, all harmless",
  );
  const role = { objects: 1, grants: 0, choice: "left out" as const };
  expect(
    verdictLine({
      ...passed,
      outcome,
      messages: { all: 6, prelude: 1, harmless: 3 },
      notes: [{ text: "something", count: 1200, examples: [] }],
      roles: [
        { ...role, role: "bob" },
        { ...role, role: "eve", objects: 2, grants: 1 },
        { ...role, role: "new", objects: 0, choice: "created without login" },
        { ...role, role: "known", choice: "known" },
      ],
    }),
  ).toBe(
    "passed with notes: 1 message in the prelude, all harmless; 2 harmless messages elsewhere; something (1,200); " +
      "role bob: 1 object restored without owner; role eve: 2 objects restored without owner, 1 grant left out; " +
      "role new: created without login",
  );
});

test("of many roles five are named", () => {
  const roles = ["a", "b", "c", "d", "e", "f", "g"].map((role) => ({
    role,
    choice: "left out" as const,
    objects: 0,
    grants: 1,
  }));
  expect(verdictLine({ ...passed, outcome: "passed with notes", roles })).toMatch(
    /role e: 1 grant left out; 2 more roles$/,
  );
});

test("a failed verdict names its first cause", () => {
  expect(verdictLine({ ...passed, outcome: "failed", causes: [cause({})] })).toBe(
    'failed: invalid byte sequence for encoding "UTF8": 0xc3 0x28',
  );
});

test("a failure tells cause, rows and fix", () => {
  const causes = [cause({ detail: "d" }, { consequences: 37, fix: "repair the row" })];
  const rows = [
    { table: "public.im_notes", expected: 90_004, found: 88_111 },
    ...["a", "b"].map((table) => ({ table, expected: 1, found: 1 })),
  ];
  expect(failureLines({ ...passed, outcome: "failed", causes, rows })).toEqual([
    '  cause     22021  invalid byte sequence for encoding "UTF8": 0xc3 0x28   COPY public.im_notes, line 88,112 (line 2,310 of the dump)',
    "            d",
    "            and 37 messages that follow from it",
    "  rows      public.im_notes 88,111 of 90,004; the other 2 tables are complete",
    "  fix       repair the row",
  ]);
});

test.each([
  ["22012", "correct it on the source server and dump again, or correct it in the dump"],
  [
    "XX000",
    "read PostgreSQL's log for the reason (docs/server-log.md), then run the same command again",
  ],
  [undefined, "copy or dump it again; report a bug if it happens again"],
])("a failure without a fix of its own has a general one: %s", (sqlstate, fix) => {
  const causes = [cause({ sqlstate }), cause({ sqlstate })];
  const lines = failureLines({ ...passed, outcome: "failed", causes });
  expect(lines.slice(2)).toEqual([`  fix       ${fix}`]);
});

test("of many causes three are shown, and the others counted", () => {
  const causes = Array.from({ length: 5 }, () => cause({}, { consequences: 1, fix: "same" }));
  const lines = failureLines({ ...passed, outcome: "failed", causes, furtherCauses: 20 });
  expect(lines.slice(-2)).toEqual(["            and 22 further causes", "  fix       same"]);
  expect(lines[1]).toBe("            and 1 message that follows from it");
});

test("no line is longer than 200 characters, whatever the server says", () => {
  const long = "x\n".repeat(500);
  const causes = [cause({ message: long, detail: long })];
  const lines = failureLines({ ...passed, outcome: "failed", causes });
  for (const line of [...lines, verdictLine({ ...passed, outcome: "failed", causes })]) {
    expect(line.length).toBeLessThanOrEqual(200);
    expect(line).not.toContain("\n");
  }
});

test("rows are told for five tables at most", () => {
  const wrong = ["a", "b", "c", "d", "e", "f"].map((table) => ({ table, expected: 2, found: 1 }));
  expect(rowsLine(wrong)).toBe("a 1 of 2, b 1 of 2, c 1 of 2, d 1 of 2, e 1 of 2, 1 more table");
  expect(
    rowsLine([
      { table: "a", expected: null, found: null },
      { table: "b", expected: null, found: 5 },
    ]),
  ).toBe("a is missing; the other 1 table is complete");
  expect(rowsLine([{ table: "a", expected: 1, found: 1 }])).toBeUndefined();
});

test("a message is one line of the log", () => {
  const event = { ...damaged, message: "a\nb" };
  delete event.sqlstate;
  expect(eventLine(event)).toBe(
    "ERROR  -----  a b  line 2,310   COPY public.im_notes, line 88,112",
  );
  expect(eventLine({ ...damaged, context: 'COPY t, line 3, column note: "x"' })).toBe(
    'ERROR  22021  invalid byte sequence for encoding "UTF8": 0xc3 0x28  line 2,310   COPY public.im_notes, line 3, column note',
  );
});
