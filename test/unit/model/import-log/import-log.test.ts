import { describe, expect, test } from "vitest";
import { describeStatement } from "../../../../model/dump/statement";
import type { ImportEvent } from "../../../../model/import-log/event";
import { ImportLog } from "../../../../model/import-log/import-log";
import { verdictSchema } from "../../../../model/import-log/verdict-schema";
import { atMost } from "../../../support/time/limit.mjs";

type Said = readonly [sqlstate: string, message: string, rest?: Partial<ImportEvent>];

/** A log that is told messages by statement. */
class Told {
  readonly log = new ImportLog();

  say(sql: string, [sqlstate, message, rest = {}]: Said): string {
    const statement = describeStatement(sql);
    const event: ImportEvent = {
      severity: "ERROR",
      sqlstate,
      phase: "schema",
      message,
      statement: statement.excerpt,
      ...(statement.object === undefined ? {} : { object: statement.object }),
      ...rest,
    };
    return this.log.message(event, statement);
  }
}

/** What the log calls each message of an import. */
function kinds(messages: readonly (readonly [string, Said])[]): readonly string[] {
  const told = new Told();
  return messages.map(([sql, said]) => told.say(sql, said));
}

const prelude: Partial<ImportEvent> = { phase: "prelude" };
const warning: Partial<ImportEvent> = { severity: "WARNING" };

describe("harmless", () => {
  test.each<readonly [string, Said]>([
    ["DROP TABLE public.t", ["42P01", 'table "t" does not exist', prelude]],
    ["DROP TABLE audit.t", ["3F000", 'schema "audit" does not exist', prelude]],
    [
      "DROP FUNCTION public.f(integer)",
      ["42883", "function public.f(integer) does not exist", prelude],
    ],
    ["DROP TYPE public.e", ["42704", 'type "public.e" does not exist', prelude]],
    [
      "ALTER TABLE ONLY public.t DROP CONSTRAINT c",
      ["42P01", 'relation "public.t" does not exist', prelude],
    ],
    [
      "ALTER TABLE public.t ALTER COLUMN a DROP DEFAULT",
      ["42P01", 'relation "public.t" does not exist', prelude],
    ],
    ["DROP TRIGGER g ON public.t", ["42P01", 'relation "public.t" does not exist', prelude]],
    ["SELECT pg_catalog.lo_unlink('1')", ["42704", "large object 1 does not exist", prelude]],
    [
      "CREATE OR REPLACE VIEW audit.v AS\nSELECT\n NULL::integer AS a",
      ["3F000", 'schema "audit" does not exist', prelude],
    ],
    [
      "DROP PROCEDURAL LANGUAGE plpgsql",
      ["2BP01", "cannot drop language plpgsql because extension plpgsql requires it", prelude],
    ],
    [
      "DROP SCHEMA public",
      ["2BP01", "cannot drop schema public because other objects depend on it", prelude],
    ],
    ["CREATE PROCEDURAL LANGUAGE plpgsql", ["42710", 'language "plpgsql" already exists']],
    ["CREATE EXTENSION plpgsql", ["42710", 'extension "plpgsql" already exists']],
    ["CREATE SCHEMA public", ["42P06", 'schema "public" already exists']],
    ["COMMENT ON EXTENSION plpgsql IS 'x'", ["42501", "must be owner of extension plpgsql"]],
    ["COMMENT ON DATABASE d IS 'x'", ["3D000", 'database "d" does not exist']],
    [
      "SET transaction_timeout = 0",
      ["42704", 'unrecognized configuration parameter "transaction_timeout"', prelude],
    ],
    [
      "SELECT * FROM pg_catalog.pg_restore_relation_stats('version', '180000'::integer)",
      ["42883", "function pg_catalog.pg_restore_relation_stats(unknown, integer) does not exist"],
    ],
    ["GRANT ALL ON TABLE t TO a", ["01007", 'no privileges were granted for "t"', warning]],
  ])("%s", (sql, said) => {
    expect(kinds([[sql, said]])).toEqual(["harmless"]);
  });
});

describe("a note", () => {
  test.each<readonly [string, Said]>([
    ["GRANT SELECT ON TABLE t TO gone", ["42704", 'role "gone" does not exist']],
    [
      "ALTER DEFAULT PRIVILEGES FOR ROLE gone GRANT SELECT ON TABLES TO a",
      ["42704", 'role "gone" does not exist'],
    ],
    [
      "SET default_tablespace = 'fast'",
      ["22023", 'invalid value for parameter "default_tablespace": "fast"'],
    ],
    [
      "SET default_table_access_method = columnar",
      ["22023", 'invalid value for parameter "default_table_access_method": "columnar"'],
    ],
    ["SET default_with_oids = true", ["0A000", "tables declared WITH OIDS are not supported"]],
    ["CREATE SUBSCRIPTION s", ["01000", "subscription was created, but is not connected", warning]],
  ])("%s", (sql, said) => {
    expect(kinds([[sql, said]])).toEqual(["note"]);
  });

  test("a warning whose SQLSTATE is not known is one too", () => {
    const log = new ImportLog();
    const event: ImportEvent = { severity: "WARNING", phase: "data", message: "m", statement: "" };
    expect(log.message(event, describeStatement(""))).toBe("note");
  });
});

describe("fatal, though nearly harmless", () => {
  test.each<readonly [string, Said]>([
    ["DROP TABLE public.t", ["42P01", 'table "t" does not exist']],
    ["DROP TABLE public.t", ["42501", "must be owner of table t", prelude]],
    [
      "DROP TABLE public.t",
      ["2BP01", "cannot drop table t because other objects depend on it", prelude],
    ],
    [
      "ALTER TABLE public.t DROP COLUMN a",
      ["42P01", 'relation "public.t" does not exist', { phase: "post-data" }],
    ],
    [
      "ALTER TABLE public.t ADD COLUMN a integer",
      ["42P01", 'relation "public.t" does not exist', prelude],
    ],
    ["CREATE VIEW audit.v AS SELECT NULL", ["3F000", 'schema "audit" does not exist']],
    [
      "CREATE OR REPLACE VIEW audit.v AS SELECT a",
      ["3F000", 'schema "audit" does not exist', prelude],
    ],
    ["CREATE EXTENSION postgis", ["42710", 'extension "postgis" already exists']],
    ["CREATE FUNCTION plpgsql()", ["42710", "x already exists"]],
    ["CREATE SCHEMA audit", ["42P06", 'schema "audit" already exists']],
    ["CREATE SCHEMA public", ["42501", "permission denied for database d"]],
    ["COMMENT ON EXTENSION postgis IS 'x'", ["42704", 'extension "postgis" does not exist']],
    ["COMMENT ON TABLE t IS 'x'", ["42501", "must be owner of table t"]],
    ["COMMENT ON TABLE t IS 'x'", ["3D000", 'database "d" does not exist']],
    ["SET search_path = x", ["42704", 'unrecognized configuration parameter "search_path"']],
    ["SET client_encoding = 'X'", ["22023", 'invalid value for parameter "client_encoding": "X"']],
    [
      "SET work_mem = 'X'",
      ["22023", 'invalid value for parameter "work_mem": "default_tablespace"'],
    ],
    ["SET something_else = on", ["0A000", "not supported"]],
    [
      "SELECT public.pg_restore_relation_stats()",
      ["42883", "function public.pg_restore_relation_stats() does not exist"],
    ],
    [
      "SELECT pg_catalog.pg_restore_relation_stats(public.f())",
      ["42883", "function public.f() does not exist"],
    ],
    ["CREATE POLICY p ON t TO gone", ["42704", 'role "gone" does not exist']],
    ["GRANT SELECT ON TABLE t TO a", ["42P01", 'relation "t" does not exist']],
    ["GRANT SELECT ON TABLE t TO a", ["01007", 'no privileges were granted for "t"']],
    ["CREATE TABLE public.t ()", ["42501", "permission denied for schema public"]],
    ["SELECT 1/0", ["22012", "division by zero", prelude]],
    [
      "COPY t FROM stdin",
      ["22P02", 'invalid input syntax for type integer: "x"', { phase: "data" }],
    ],
  ])("%s: %s", (sql, said) => {
    expect(kinds([[sql, said]])).toEqual(["cause"]);
  });
});

const broken: readonly [string, Said] = [
  "CREATE TABLE public.t (a public.citext)",
  ["42P16", "something is wrong"],
];

describe("consequences of a failed CREATE", () => {
  test.each<readonly [string, Said]>([
    [
      "COPY public.t (a) FROM stdin",
      ["42P01", 'relation "public.t" does not exist', { phase: "data" }],
    ],
    ["CREATE INDEX i ON public.t (a)", ["42P01", 'relation "public.t" does not exist']],
    [
      "ALTER TABLE ONLY public.t ADD CONSTRAINT c PRIMARY KEY (a)",
      ["42P01", 'relation "public.t" does not exist'],
    ],
    [
      "CREATE TRIGGER g AFTER INSERT ON public.t EXECUTE FUNCTION f()",
      ["42P01", 'relation "public.t" does not exist'],
    ],
    ["COMMENT ON TABLE public.t IS 'x'", ["42P01", 'relation "public.t" does not exist']],
    ["GRANT SELECT ON TABLE public.t TO a", ["42P01", 'relation "public.t" does not exist']],
    [
      "CREATE VIEW public.v AS SELECT 1 FROM public.t",
      ["42P01", 'relation "public.t" does not exist'],
    ],
    ["CREATE FUNCTION f(a public.t) RETURNS void", ["42704", 'type "public.t" does not exist']],
    ["SELECT pg_catalog.setval('t_seq', 1)", ["42P01", 'relation "t" does not exist']],
  ])("%s", (sql, said) => {
    expect(kinds([broken, [sql, said]])).toEqual(["cause", "consequence"]);
  });

  test("go on from object to object", () => {
    expect(
      kinds([
        ["CREATE TYPE public.e AS ENUM ()", ["42601", "syntax error"]],
        [
          "CREATE FUNCTION public.f(public.e) RETURNS void",
          ["42704", 'type "public.e" does not exist'],
        ],
        [
          "CREATE TRIGGER g AFTER INSERT ON public.u EXECUTE FUNCTION public.f()",
          ["42883", "function public.f() does not exist"],
        ],
        [
          "COMMENT ON TRIGGER g ON public.u IS 'x'",
          ["42704", 'trigger "g" for table "u" does not exist'],
        ],
      ]),
    ).toEqual(["cause", "consequence", "consequence", "consequence"]);
  });

  test("of a language, an operator class, a large object and an index", () => {
    expect(
      kinds([
        [
          "CREATE EXTENSION plperl WITH SCHEMA pg_catalog",
          ["0A000", 'extension "plperl" is not available'],
        ],
        [
          "CREATE FUNCTION f() RETURNS void LANGUAGE plperl",
          ["42704", 'language "plperl" does not exist'],
        ],
        ["SELECT pg_catalog.lo_create('7')", ["42501", "permission denied"]],
        ["ALTER LARGE OBJECT 7 OWNER TO a", ["42704", "large object 7 does not exist"]],
        ["CREATE INDEX i ON public.t (a)", ["23505", 'could not create unique index "i"']],
        [
          "ALTER INDEX public.p ATTACH PARTITION public.i",
          ["42P01", 'relation "public.i" does not exist'],
        ],
        ["ALTER TABLE public.t CLUSTER ON i", ["42704", 'index "i" for table "t" does not exist']],
      ]),
    ).toEqual([
      "cause",
      "consequence",
      "cause",
      "consequence",
      "cause",
      "consequence",
      "consequence",
    ]);
  });

  test.each<readonly [string, Said]>([
    ["CREATE FUNCTION f() RETURNS void", ["42704", 'type "public.citext" does not exist']],
    [
      "CREATE INDEX i ON public.t USING gin (a public.gin_trgm_ops)",
      ["42704", 'operator class "public.gin_trgm_ops" does not exist for access method "gin"'],
    ],
    [
      "CREATE VIEW v AS SELECT 1",
      ["42883", "operator does not exist: public.citext = public.citext"],
    ],
    ["CREATE VIEW v AS SELECT 1", ["42883", "function similarity(text, text) does not exist"]],
    ["CREATE VIEW v AS SELECT 1", ["42883", "function audit.f(public.citext) does not exist"]],
    [
      "COPY public.spatial_ref_sys FROM stdin",
      ["42P01", 'relation "public.spatial_ref_sys" does not exist'],
    ],
  ])("of an extension, in its schema: %s", (sql, said) => {
    const extension: Said = ["0A000", 'extension "citext" is not available'];
    expect(
      kinds([
        ["CREATE EXTENSION IF NOT EXISTS citext WITH SCHEMA public", extension],
        [sql, said],
      ]),
    ).toEqual(["cause", "consequence"]);
  });
});

describe("consequences of missing rows", () => {
  const copy: readonly [string, Said] = [
    "COPY public.users (id) FROM stdin",
    ["22P02", 'invalid input syntax for type integer: "x"', { phase: "data" }],
  ];

  test("are foreign keys on them", () => {
    expect(
      kinds([
        copy,
        [
          "ALTER TABLE ONLY public.tasks ADD CONSTRAINT f FOREIGN KEY (u) REFERENCES public.users(id)",
          [
            "23503",
            'insert or update on table "tasks" violates foreign key constraint "f"',
            { detail: 'Key (u)=(1) is not present in table "users".' },
          ],
        ],
      ]),
    ).toEqual(["cause", "consequence"]);
  });

  test("are not foreign keys on other tables", () => {
    expect(
      kinds([
        copy,
        [
          "ALTER TABLE ONLY public.users ADD CONSTRAINT f FOREIGN KEY (o) REFERENCES public.offices(id)",
          [
            "23503",
            'insert or update on table "users" violates foreign key constraint "f"',
            { detail: 'Key (o)=(1) is not present in table "offices".' },
          ],
        ],
      ]),
    ).toEqual(["cause", "cause"]);
  });

  test("are materialized views on one that could not be filled", () => {
    expect(
      kinds([
        ["REFRESH MATERIALIZED VIEW public.a", ["22012", "division by zero"]],
        [
          "REFRESH MATERIALIZED VIEW public.b",
          ["55000", 'materialized view "a" has not been populated'],
        ],
      ]),
    ).toEqual(["cause", "consequence"]);
  });

  test("a foreign key follows from the primary key that could not be made", () => {
    expect(
      kinds([
        [
          "ALTER TABLE ONLY public.users ADD CONSTRAINT p PRIMARY KEY (id)",
          ["23505", 'could not create unique index "p"'],
        ],
        [
          "ALTER TABLE ONLY public.tasks ADD CONSTRAINT f FOREIGN KEY (u) REFERENCES public.users(id)",
          [
            "42830",
            'there is no unique constraint matching given keys for referenced table "users"',
          ],
        ],
      ]),
    ).toEqual(["cause", "consequence"]);
  });
});

describe("when PostgreSQL stops", () => {
  test("all that follows is one cause with it, rows included", () => {
    const told = new Told();
    told.log.expectRows("public.a", 5);
    expect([
      told.say("COPY public.b FROM stdin", [
        "53100",
        "could not extend file: No space left on device",
      ]),
      told.say("CREATE INDEX i ON b (a)", [
        "57P01",
        "terminating connection due to administrator command",
      ]),
      told.say("CREATE INDEX j ON b (a)", ["08006", "no connection to the server"]),
    ]).toEqual(["cause", "consequence", "consequence"]);
    expect(told.log.verdict(new Map([["public.a", { rows: 0 }]])).causes).toHaveLength(1);
  });

  test("a failed transaction is told once", () => {
    const aborted: Said = ["25P02", "current transaction is aborted"];
    expect(
      kinds([
        ["SELECT lo_open(1, 2)", ["42704", "large object 1 does not exist"]],
        ["SELECT 1", aborted],
        ["SELECT 2", aborted],
      ]),
    ).toEqual(["cause", "consequence", "consequence"]);
  });
});

describe("an independent error stays a cause", () => {
  test.each<readonly [string, Said]>([
    ["COPY public.u FROM stdin", ["22P02", 'invalid input syntax for type integer: "t"']],
    ["CREATE TABLE public.u ()", ["42601", 'syntax error at or near "t"']],
    ["CREATE POLICY p ON public.u TO t", ["42704", 'role "t" does not exist']],
    ["CREATE VIEW v AS SELECT 1", ["42P01", 'relation "public.tt" does not exist']],
    [
      "ALTER TABLE public.t ADD CONSTRAINT c CHECK (f())",
      ["42883", "function public.f() does not exist"],
    ],
  ])("after a failed table: %s", (sql, said) => {
    expect(kinds([broken, [sql, said]])).toEqual(["cause", "cause"]);
  });

  test.each<readonly [string, Said]>([
    ["CREATE VIEW v AS SELECT 1", ["42883", "function billing.f(integer) does not exist"]],
    ["CREATE POLICY p ON public.u TO gone", ["42704", 'role "gone" does not exist']],
    ["CREATE VIEW v AS SELECT 1", ["42703", 'column "a" does not exist']],
    ["COPY public.u FROM stdin", ["22P02", "invalid input syntax"]],
  ])("after a failed extension: %s", (sql, said) => {
    const extension: Said = ["0A000", 'extension "citext" is not available'];
    expect(
      kinds([
        ["CREATE EXTENSION citext WITH SCHEMA public", extension],
        [sql, said],
      ]),
    ).toEqual(["cause", "cause"]);
  });

  test("what is already there is not missing", () => {
    expect(
      kinds([
        ["CREATE TYPE public.t AS ENUM ()", ["42710", 'type "t" already exists']],
        ["CREATE VIEW v AS SELECT 1", ["42P01", 'relation "public.t" does not exist']],
      ]),
    ).toEqual(["cause", "cause"]);
  });

  test("an operator that failed is not the schema it is in", () => {
    expect(
      kinds([
        ["CREATE OPERATOR public.=== (FUNCTION = f)", ["42883", "function f() does not exist"]],
        ["CREATE TABLE public.t ()", ["3F000", 'schema "public" does not exist']],
      ]),
    ).toEqual(["cause", "cause"]);
  });
});

describe("rows", () => {
  const found = (rows: number | null, ofExtension = false) =>
    new Map([["public.t", { rows, ofExtension }]]);
  const verdict = (expected: number | null, rows: number | null, ofExtension = false) => {
    const log = new ImportLog();
    log.expectRows("public.t", expected);
    return log.verdict(found(rows, ofExtension));
  };

  test("that are all there pass without a note", () => {
    expect(verdict(3, 3)).toEqual({
      outcome: "passed",
      messages: { all: 0, prelude: 0, harmless: 0 },
      causes: [],
      furtherCauses: 0,
      notes: [],
      rows: [{ table: "public.t", expected: 3, found: 3 }],
      roles: [],
    });
  });

  test.each([
    [1234, 3, "table public.t has 3 rows in the database, 1,234 in the dump"],
    [3, 4, "table public.t has 4 rows in the database, 3 in the dump"],
    [0, 1, "table public.t has 1 row in the database, 0 in the dump"],
    [3, null, "table public.t is not in the database, 3 in the dump"],
    [null, null, "table public.t is not in the database, some in the dump"],
  ])("%s in the dump and %s in the database fail", (expected, rows, message) => {
    const { outcome, causes } = verdict(expected, rows);
    expect(outcome).toBe("failed");
    expect(causes.map(({ event }) => event.message)).toEqual([message]);
  });

  test("of an extension's table may be more, not fewer", () => {
    expect(verdict(3, 9, true).outcome).toBe("passed");
    expect(verdict(3, 2, true).outcome).toBe("failed");
  });

  test("of an archive are not told: the table must be there", () => {
    expect(verdict(null, 7).outcome).toBe("passed");
  });

  test("of several blocks are added, and unknown once one is unknown", () => {
    const log = new ImportLog();
    log.expectRows("public.t", 2);
    log.expectRows("public.t", 3);
    expect(log.verdict(found(5)).outcome).toBe("passed");
    log.expectRows("public.t", null);
    expect(log.verdict(found(1)).rows).toEqual([{ table: "public.t", expected: null, found: 1 }]);
  });

  test("that are missing because of a known cause make no second one", () => {
    const told = new Told();
    told.say("COPY public.t FROM stdin", ["22P02", "invalid"]);
    told.log.expectRows("public.t", 3);
    const { causes, rows } = told.log.verdict(found(0));
    expect(causes).toHaveLength(1);
    expect(rows).toEqual([{ table: "public.t", expected: 3, found: 0 }]);
  });
});

describe("the verdict", () => {
  test("counts messages, notes and roles, and fits its schema", () => {
    const told = new Told();
    told.say("DROP TABLE public.t", ["42P01", 'table "t" does not exist', prelude]);
    for (let i = 0; i < 5; i++)
      told.say("GRANT SELECT ON TABLE t TO gone", ["42704", 'role "gone" does not exist']);
    told.log.role("bob", "left out").objects += 2;
    const verdict = told.log.verdict();
    expect(verdict).toMatchObject({
      outcome: "passed with notes",
      messages: { all: 6, prelude: 1, harmless: 1 },
      roles: [
        { role: "gone", choice: "left out", objects: 0, grants: 5 },
        { role: "bob", choice: "left out", objects: 2, grants: 0 },
      ],
    });
    expect(
      verdict.notes.map(({ text, count, examples }) => [text, count, examples.length]),
    ).toEqual([["grants of roles that do not exist on this server were left out", 5, 3]]);
    expect(verdictSchema.parse(verdict)).toEqual(verdict);
  });

  test("keeps a hundred causes and counts the others", () => {
    const told = new Told();
    for (let i = 0; i < 120; i++) told.say("SELECT 1", ["22012", "division by zero"]);
    const { causes, furtherCauses, outcome } = told.log.verdict();
    expect([causes.length, furtherCauses, outcome]).toEqual([100, 20, "failed"]);
  });

  test("over 20,000 broken names and 20,000 consequences takes no time", () => {
    const told = new Told();
    for (let i = 0; i < 20_000; i++) {
      told.say(`CREATE TABLE public.t${i} ()`, ["42601", "syntax error"]);
      told.say(`COPY public.t${i} FROM stdin`, ["42P01", `relation "t${i}" does not exist`]);
    }
    const before = process.cpuUsage();
    for (let i = 0; i < 20_000; i++) {
      told.say("SELECT 1", ["42883", `function nowhere${i}() does not exist`]);
    }
    const { user, system } = process.cpuUsage(before);
    expect((user + system) / 1e6).toBeLessThan(atMost(5));
  });
});
