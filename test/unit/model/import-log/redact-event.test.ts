import { describe, expect, test } from "vitest";
import { importEventSchema, type ImportEvent } from "../../../../model/import-log/event";
import { redactEvent } from "../../../../model/import-log/redact-event";
import { redactMessage } from "../../../../model/masks/redact-message";

describe("of what PostgreSQL says about values that are to be masked, is told", () => {
  test.each([
    ["23505", 'duplicate key value violates unique constraint "users_email_key"'],
    ["23505", 'could not create unique index "odd ""index"""'],
    ["23503", 'insert or update on table "hours" violates foreign key constraint "hours_task"'],
    ["23502", 'null value in column "id" of relation "users" violates not-null constraint'],
    ["23514", "value for domain public.d violates check constraint"],
    ["23P01", 'conflicting key value violates exclusion constraint "no overlap"'],
    ["22P04", 'missing data for column "age"'],
    ["42P01", 'relation "users" does not exist'],
    ["01007", 'no privileges were granted for "users"'],
    ["53100", "could not extend file: No space left on device"],
    [undefined, "table public.t has 1 row in the database, 2 in the dump"],
  ])("%s whole: %s", (sqlstate, message) => {
    expect(redactMessage(sqlstate, message)).toBe(message);
  });

  test.each([
    [
      "22P02",
      'invalid input syntax for type integer: "canary"',
      "invalid input syntax for type integer…",
    ],
    [
      "22008",
      'date/time field value out of range: "canary"',
      "date/time field value out of range…",
    ],
    ["22003", 'value "canary" is out of range for type integer', "value …"],
    [undefined, 'something about a row: "canary"', "something about a row…"],
    [undefined, 'value "canary" is out of range for type integer', "value …"],
  ])("%s without its value: %s", (sqlstate, message, told) => {
    expect(redactMessage(sqlstate, message)).toBe(told);
  });

  test.each([
    ["P0001", "no such user: canary"],
    ["23505", "the user canary is there already"],
    ["23514", 'check constraint "x" says: canary!'],
    ["01000", "the user canary is odd"],
    ["ZZ001", "canary"],
  ])("nothing of what a function of the application may have said: %s %s", (sqlstate, message) => {
    expect(redactMessage(sqlstate, message)).toBe(
      "a message that may contain values and is not shown",
    );
  });
});

test.each(["PL/pgSQL function f() line 2 at RAISE\nSQL statement", 'PL/Perl function "f"'])(
  "nothing is told of what a function says under a code of PostgreSQL's: %s",
  (context) => {
    const message = "the user canary does not exist";
    expect(redactMessage("42704", message, context)).toContain("is not shown");
    expect(redactMessage("42704", message, "COPY users, line 1")).toBe(message);
  },
);

describe("of a message of an import", () => {
  const event = (more: Partial<ImportEvent>): ImportEvent => ({
    ...{ severity: "ERROR", phase: "data", message: "m", statement: "" },
    ...more,
  });

  test("stay where it was and its object, without detail", () => {
    const told = redactEvent(
      event({
        ...{ sqlstate: "22P02", message: 'invalid input syntax for type integer: "canary"' },
        ...{ detail: "Failing row contains (canary).", object: "TABLE public.users", line: 12 },
        context: 'COPY users, line 3, column age: "canary"',
        statement: "COPY public.users (id, age) FROM stdin",
      }),
    );
    expect(told).toEqual(
      event({
        ...{ sqlstate: "22P02", message: "invalid input syntax for type integer…" },
        ...{ object: "TABLE public.users", line: 12, context: "COPY users, line 3, column age" },
        statement: "COPY public.users (id, age) FROM stdin",
      }),
    );
    expect(importEventSchema.parse(told)).toEqual(told);
  });

  test.each([
    ["INSERT INTO public.users VALUES (1, 'canary')", "INSERT INTO public.users …"],
    ["INSERT INTO public.users (id, email) VALUES (1, 'canary')", "INSERT INTO public.users …"],
    [String.raw`SELECT pg_catalog.lowrite(0, '\x63616e617279')`, "SELECT pg_catalog.lowrite(…"],
    ["ALTER TABLE ONLY public.t ADD CONSTRAINT t_pkey PRIMARY KEY (id)", undefined],
  ])("the statement stays without rows: %s", (statement, told = statement) => {
    expect(redactEvent(event({ sqlstate: "22P02", statement })).statement).toBe(told);
  });

  test("a hint stays where PostgreSQL gave it, and none where a function may have", () => {
    const hint = "No function matches the given name and argument types.";
    expect(redactEvent(event({ sqlstate: "42883", hint })).hint).toBe(hint);
    expect(redactEvent(event({ sqlstate: "P0001", hint: "canary" }))).not.toHaveProperty("hint");
  });
});
