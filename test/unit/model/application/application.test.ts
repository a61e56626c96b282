import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  compareLog,
  isSince,
  lastDistinctLines,
  parseLog,
} from "../../../../model/application/log";
import {
  applicationText,
  freshErrorLines,
  unhealthyText,
} from "../../../../model/application/report";
import { defaultErrorPattern, signatureOf } from "../../../../model/application/signature";
import { parseStackConfig } from "../../../../model/stack-file/parse";

describe("the signature of a line of a log", () => {
  test.each([
    [
      "2026-11-22T09:14:00.123Z ERROR 42 rows of hours are wrong",
      "ERROR # rows of hours are wrong",
    ],
    ["2026-11-22 09:14:00,123 +0100 [main] ERROR no such user 17", "main] ERROR no such user #"],
    [
      '[22/Nov/2026:09:14:00][-conn:3-] Error: relation "im_notes" does not exist',
      'conn:#-] Error: relation "…" does not exist',
    ],
    [
      "Nov 22 09:14:00 app1 timesheets[811]: FATAL: can't open 'x.log'",
      "app# timesheets[#]: FATAL: can't open '…'",
    ],
    [
      "TypeError: user 5f2c9e1ab03d has no mail ada@example.com",
      "TypeError: user <id> has no mail <address>",
    ],
    [
      "ERROR order 123e4567-e89b-12d3-a456-426614174000 to https://shop.example/a?b=1 failed",
      "ERROR order <id> to <url> failed",
    ],
    ["\u001b[31mERROR\u001b[0m   10.0.0.7:5432   refused", "ERROR # refused"],
    [
      '{"level":50,"time":1790000000000,"msg":"no project 7","err":{"type":"Error","message":"gone"}}',
      "# no project # Error gone",
    ],
    ['{"broken', '{"broken'],
  ])("of %j", (line, signature) => {
    expect(signatureOf(line)).toBe(signature);
  });

  const words = fc.constantFrom(
    "ERROR",
    "hours",
    "of",
    "project",
    "cannot",
    "be",
    "read:",
    "(again)",
  );
  const differing = fc.oneof(
    fc.nat().map((n) => [String(n), String(n + 1)] as const),
    fc.uuid().chain((a) => fc.uuid().map((b) => [a, b] as const)),
    fc
      .string({ unit: fc.constantFrom("a", "b", " ", "7") })
      .map((s) => [`"${s}"`, `"x${s}"`] as const),
    fc.date({ min: new Date(0), max: new Date("2099-01-01"), noInvalidDate: true }).map((date) => {
      const later = new Date(date.getTime() + 1);
      return [date.toISOString(), later.toISOString()] as const;
    }),
  );

  test("is the same whatever the moments, numbers, ids and quoted values are", () => {
    const part = fc.oneof(
      words.map((word) => [word, word] as const),
      differing,
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 12 }), (parts) => {
        const [one, other] = [0, 1].map((n) => parts.map((both) => both[n]).join(" "));
        expect(signatureOf(one ?? "")).toBe(signatureOf(other ?? ""));
      }),
    );
  });

  test("differs when a word does, has no digit and is short, whatever the line is", () => {
    expect(signatureOf("ERROR reading hours")).not.toBe(signatureOf("ERROR reading days"));
    fc.assert(
      fc.property(fc.oneof(fc.string({ maxLength: 3000 }), fc.json()), (line) => {
        expect(signatureOf(line)).toMatch(/^\D{0,200}$/s);
      }),
    );
  });
});

describe("what tells of an error", () => {
  const isError = new RegExp(defaultErrorPattern);

  test.each([
    "2026-11-22 ERROR x",
    "[-main-] Error: x",
    "org.postgresql.util.PSQLException: x",
    "UnhandledPromiseRejection: TypeError: x",
    '{"level":50,"msg":"x"}',
    '{"level": "error"}',
    "level=error msg=x",
    "Traceback (most recent call last):",
  ])("%s", (line) => {
    expect(isError.test(line)).toBe(true);
  });

  test.each([
    "INFO 0 errors so far",
    "no error occurred",
    'GET /errors?level=5 "200"',
    '{"level":30,"msg":"x"}',
    "Terror in the woods",
  ])("not %s", (line) => {
    expect(isError.test(line)).toBe(false);
  });
});

describe("the log of an application", () => {
  const since = "2026-11-22T09:14:01Z";
  const log = [
    '2026-11-22T09:14:00.000000001Z ERROR column "a" is missing',
    "2026-11-22T09:14:00.999999999Z INFO done",
    '2026-11-22T09:14:01.000000000Z ERROR column "b" is missing',
    "2026-11-22T09:14:02.000000000Z ERROR 7 rows are wrong",
    "2026-11-22T09:14:03.000000000Z ERROR 8 rows are wrong",
    "    at line 5 of an Error without a moment",
  ].join("\n");

  test("is compared by kinds of errors: those that were there before are no news", () => {
    expect(compareLog(parseLog(log), since, /Error|ERROR/)).toEqual({
      fresh: [
        { signature: "ERROR # rows are wrong", count: 2 },
        { signature: "at line # of an Error without a moment", count: 1 },
      ],
      more: 0,
      known: 1,
    });
    const none = compareLog(parseLog(log), "2026-11-22T09:15:00Z", /ERROR/);
    expect(none).toEqual({ fresh: [], more: 0, known: 0 });
  });

  test("tells twenty kinds, and how many more there are", () => {
    const lines = Array.from({ length: 26 }, (_, n) => ({
      timestamp: since,
      text: `ERROR ${String.fromCharCode(97 + n)}`,
    }));
    const { fresh, more } = compareLog(lines, since, /ERROR/);
    expect([fresh.length, more]).toEqual([20, 6]);
  });

  test("has moments that Docker writes in two ways", () => {
    expect(isSince("2026-11-22T09:14:01.100000000Z", "2026-11-22T09:14:01.1Z")).toBe(true);
    expect(isSince("2026-11-22T09:14:01.099999999Z", "2026-11-22T09:14:01.1Z")).toBe(false);
    expect(isSince("2026-11-22T09:14:01.000000000Z", "2026-11-22T09:14:01Z")).toBe(true);
  });

  test("ends with lines that break no terminal", () => {
    const lines = parseLog(
      `2026-11-22T09:14:01.0Z a\n2026-11-22T09:14:01.0Z \u001b[31mred\u001b[0m\u0007 ${"x".repeat(300)}`,
    );
    expect(lastDistinctLines(lines, 1)).toEqual([`red  ${"x".repeat(194)}…`]);
  });

  test("ends with lines that differ, however often the last one came", () => {
    const lines = ["starting", "ERROR 1", "done", "ERROR 2", "ERROR 3", ""].map((text) => ({
      timestamp: since,
      text,
    }));
    expect(lastDistinctLines(lines, 2)).toEqual(["done", "ERROR 3"]);
    expect(lastDistinctLines(lines, 9)).toEqual(["starting", "done", "ERROR 3"]);
  });
});

describe("what a person reads of an application", () => {
  const report = { revision: "4f2c9e1", restarted: true, healthy: true, seconds: 1.23 };

  test("is one line, and one for each new kind of error", () => {
    expect(applicationText(report)).toBe("restarted, healthy after 1.2 s");
    const errors = { fresh: [], more: 0, known: 4 };
    expect(applicationText({ ...report, errors })).toBe(
      "restarted, healthy after 1.2 s · no new errors in its log",
    );
    const fresh = [
      { signature: "ERROR a", count: 12 },
      { signature: "ERROR b", count: 1 },
    ];
    const bad = { ...report, errors: { fresh, more: 1, known: 0 } };
    expect(applicationText(bad)).toContain("3 new errors in its log");
    expect(freshErrorLines(bad)).toEqual(["12 × ERROR a", " 1 × ERROR b", "and 1 kind more"]);
  });

  test("says what has been done, why it is not healthy, and how to go back", () => {
    const found = {
      ...{ server: "staging", container: "stagecraft-staging-application", seconds: 60 },
      ...{ reason: "/health returns 503", exchanged: "20261121T032900Z", canRollBack: true },
      log: ["starting", "ERROR x"],
    };
    expect(unhealthyText(found)).toBe(
      `staging has the contents of 20261121T032900Z, but its application does not become healthy: /health returns 503 after 1 min 00 s
  log       starting
            ERROR x
  full log  docker logs stagecraft-staging-application
  undo      npx stagecraft rollback staging
  retry     fix the application and run this again; completed steps are not repeated`,
    );
    const first = unhealthyText({ ...found, exchanged: undefined, canRollBack: false, log: [] });
    expect(first).toMatch(
      /^the application of staging does not become healthy: .*\n {2}log {7}it is empty\n/,
    );
    expect(first).not.toContain("rollback");
  });
});

describe("the section application of a stack", () => {
  const good = {
    postgres: { port: 15432 },
    database: { name: "timesheets" },
    data: { dump: "timesheets.sql" },
    passwords: { application: "long enough", readonly: "long enough", monitor: "long enough" },
  };
  const read = (application: unknown, more = {}, stack = "staging") =>
    parseStackConfig(stack, { ...good, ...more, application });
  const problems = (...args: Parameters<typeof read>): string[] =>
    read(...args).problems.map(({ path, text }) => `${path}: ${text}`);

  test("needs an image and a port; what is left out gets its default", () => {
    expect(read({ image: "timesheets:4.2", port: 18080 }).config.application).toEqual({
      ...{ image: "timesheets:4.2", port: 18080, internalPort: 8080, memory: "512 MB" },
      ...{ healthLimit: "60 s", watch: "2 s", user: 5433 },
    });
    // As Pulumi gives a section that nobody set.
    expect(read({})).toMatchObject({ problems: [] });
    expect(read({}).config.application).toBeUndefined();
  });

  test("tells all that is wrong at once", () => {
    const application = {
      ...{ image: "a", build: "b", port: 0, healthPath: "health", healthCommand: "true" },
      ...{ errorPattern: "(", memory: "1 kB", user: 0, healtPath: "/" },
      environment: { PGHOST: "x", PGPASSWORD: "secret of mine", "a b": 1, TWO: "a\nb", FINE: true },
    };
    expect(problems(application)).toEqual([
      "application.port: must be a port from 1 to 65535, got 0",
      "application.environment.PGHOST: is set by Stagecraft; remove it",
      "application.environment.PGPASSWORD: would be visible to anyone with access to the Docker engine; use the password in the file that PGPASSFILE names",
      "application.environment.a b: must have a name of letters, digits and _ that does not start with a digit",
      "application.environment.TWO: must be one line",
      'application.healthPath: must be a path like "/health", got "health"',
      'application.errorPattern: must be a JavaScript regular expression, got "("',
      'application.memory: must be a size like "512 MB", at least "16 MB", got "1 kB"',
      "application.user: must be the numeric id of a user other than root, got 0",
      "application.healtPath: unknown key; did you mean healthPath?",
      "application: defines two images; keep either image or build",
      "application.healthCommand: conflicts with healthPath; keep either healthPath or healthCommand",
    ]);
  });

  test("needs an image", () => {
    expect(problems({ port: 18080 })).toEqual([
      "application: defines no image; set image: <name>, or build: <folder with a Dockerfile>",
    ]);
  });

  test("wants the server's own network in its rules", () => {
    const application = { image: "a", port: 18080 };
    const pgHba = { application: "10.20.0.0/24" };
    const text =
      "pgHba.application: is for an external application, but the one of the section application is in the server's own network: remove this key, and add other clients to pgHba.rules";
    expect(problems(application, { pgHba })).toEqual([text]);
    expect(problems(undefined, { pgHba })).toEqual([]);
    expect(problems(application, { pgHba }, "dev")).toEqual([]);
    expect(problems(application, { pgHba: { application: "samenet" } })).toEqual([]);
  });

  test("has a port of its own", () => {
    expect(problems({ image: "a", port: 15432 })).toEqual([
      "application.port: is already used by PostgreSQL (postgres.port); choose another port",
    ]);
  });
});
