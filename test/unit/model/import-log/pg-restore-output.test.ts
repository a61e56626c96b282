import { describe, expect, test } from "vitest";
import { ImportLog } from "../../../../model/import-log/import-log";
import {
  PgRestoreOutputReader,
  type RestoreOutput,
} from "../../../../model/import-log/pg-restore-output";
import { sqlstateOf } from "../../../../model/import-log/sqlstate";

/** Outputs of pg_restore 17, shortened. */
function read(stderr: string): readonly RestoreOutput[] {
  const output = new PgRestoreOutputReader();
  const lines = stderr.replace(/^\n|\n$/g, "").split("\n");
  return [...lines.flatMap((line) => output.push(line)), ...output.finish()];
}

const messages = (stderr: string) =>
  read(stderr).flatMap((item) => (item.type === "message" ? [item] : []));
const events = (stderr: string) => messages(stderr).map(({ event }) => event);

function kinds(stderr: string): readonly string[] {
  const log = new ImportLog();
  return messages(stderr).map(({ event, statement }) => log.message(event, statement));
}

test("a quiet restore has no messages", () => {
  expect(
    messages(`
pg_restore: connecting to database for restore
pg_restore: creating SCHEMA "audit"
pg_restore: processing data for table "public.users"
pg_restore: executing BLOB METADATA 4711`),
  ).toEqual([]);
});

test("a command of several lines is taken whole, with its SQLSTATE, phase and object", () => {
  expect(
    events(`
pg_restore: while PROCESSING TOC:
pg_restore: from TOC entry 219; 1259 16475 TABLE users postgres
pg_restore: error: could not execute query: ERROR:  relation "users" already exists
Command was: CREATE TABLE public.users (
    id integer NOT NULL,
    name text
);


pg_restore: creating COMMENT "public.TABLE users"`),
  ).toEqual([
    {
      severity: "ERROR",
      sqlstate: "42P07",
      phase: "schema",
      message: 'relation "users" already exists',
      object: "TABLE public.users",
      statement: "CREATE TABLE public.users ( id integer NOT NULL, name text )",
    },
  ]);
});

test("detail, hint and context are fields of their own", () => {
  expect(
    events(`
pg_restore: from TOC entry 3999; 2606 16489 FK CONSTRAINT Time Off Time Off_u_fkey postgres
pg_restore: error: could not execute query: ERROR:  foreign key constraint "f" cannot be implemented
DETAIL:  Key columns "u" and "id" are of incompatible types: integer and text.
HINT:  none
CONTEXT:  SQL function "f"
Command was: ALTER TABLE ONLY public."Time Off"
    ADD CONSTRAINT f FOREIGN KEY (u) REFERENCES public.users(id);

`),
  ).toEqual([
    {
      severity: "ERROR",
      phase: "post-data",
      message: 'foreign key constraint "f" cannot be implemented',
      detail: 'Key columns "u" and "id" are of incompatible types: integer and text.',
      hint: "none",
      context: 'SQL function "f"',
      object: 'TABLE public."Time Off"',
      statement:
        'ALTER TABLE ONLY public."Time Off" ADD CONSTRAINT f FOREIGN KEY (u) REFERENCES public.users(id)',
    },
  ]);
});

test("a failed COPY names its table in full, also between the lines of another worker", () => {
  const [message] = messages(`
pg_restore: launching item 4148 TABLE DATA Time Off
pg_restore: processing data for table "public.Time Off"
pg_restore: processing data for table "public.users"
pg_restore: creating CONSTRAINT "public.users users_pkey"
pg_restore: from TOC entry 4148; 0 16482 TABLE DATA Time Off postgres
pg_restore: error: COPY failed for table "Time Off": ERROR:  new row for relation "Time Off" violates check constraint "c"
DETAIL:  Failing row contains (10, 10, x).
CONTEXT:  COPY Time Off, line 10: "10	10	x"
pg_restore: finished item 4148 TABLE DATA Time Off`);
  expect(message?.event).toEqual({
    severity: "ERROR",
    sqlstate: "23514",
    phase: "data",
    message: 'new row for relation "Time Off" violates check constraint "c"',
    detail: "Failing row contains (10, 10, x).",
    context: 'COPY Time Off, line 10: "10\t10\tx"',
    object: "TABLE public.Time Off",
    statement: "COPY public.Time Off FROM stdin",
  });
  expect(message?.statement).toMatchObject({ action: "copy", table: "public.Time Off" });
});

test("finished entries are told by their id", () => {
  expect(read("pg_restore: finished item 4148 TABLE DATA Time Off")).toEqual([
    { type: "finished", dumpId: 4148 },
  ]);
});

describe("warnings", () => {
  test("of PostgreSQL are notes, of what is being made, not of what failed before", () => {
    const stderr = `
pg_restore: from TOC entry 3996; 1259 16499 INDEX users_trgm postgres
pg_restore: error: could not execute query: ERROR:  division by zero
Command was: CREATE INDEX users_trgm ON public.users USING btree ((1/0));


pg_restore: creating VIEW "public.v"
pg_restore: WARNING:  watch out
DETAIL:  d1
HINT:  h1
pg_restore: creating FK CONSTRAINT "public.a b"`;
    expect(events(stderr)[1]).toEqual({
      severity: "WARNING",
      phase: "schema",
      message: "watch out",
      detail: "d1",
      hint: "h1",
      statement: "",
    });
    expect(kinds(stderr)).toEqual(["cause", "note"]);
  });

  test("about privileges are harmless", () => {
    expect(kinds('pg_restore: WARNING:  no privileges were granted for "t"')).toEqual(["harmless"]);
  });

  test("of pg_restore itself are fatal", () => {
    expect(kinds("pg_restore: warning: requested compression not available")).toEqual(["cause"]);
  });

  test("about ignored errors repeat what was said, or are the only sign of it", () => {
    const summary = "pg_restore: warning: errors ignored on restore: 3";
    const error = "pg_restore: error: could not execute query: ERROR:  x\nCommand was: SELECT 1;\n";
    expect(kinds(`${error}\n${summary}`)).toEqual(["cause"]);
    expect(kinds(summary)).toEqual(["cause"]);
  });
});

describe("grants", () => {
  const grants = (statements: string) => `
pg_restore: from TOC entry 4161; 0 0 ACL TABLE users postgres
pg_restore: error: could not execute query: ERROR:  role "gone" does not exist
Command was: ${statements}


pg_restore: warning: errors ignored on restore: 1`;

  test("of a role that is not here are a note", () => {
    expect(kinds(grants("GRANT SELECT ON TABLE public.users TO gone;"))).toEqual(["note"]);
  });

  test("of other roles in the same command are said to be lost as well", () => {
    const log = new ImportLog();
    const stderr = grants(
      "GRANT SELECT ON TABLE public.users TO bob;\nGRANT SELECT ON TABLE public.users TO gone;",
    );
    for (const { event, statement } of messages(stderr)) log.message(event, statement);
    expect(log.verdict().notes.map(({ text }) => text)).toEqual([
      "grants of existing roles were left out together with those of roles that do not exist on this server",
    ]);
  });

  test("a policy of a role that is not here is fatal", () => {
    expect(
      kinds(`
pg_restore: from TOC entry 4146; 3256 16508 POLICY users p postgres
pg_restore: error: could not execute query: ERROR:  role "gone" does not exist
Command was: CREATE POLICY p ON public.users TO gone;

`),
    ).toEqual(["cause"]);
  });
});

test("an archive that is cut short", () => {
  expect(events("pg_restore: error: could not read from input file: end of file")).toEqual([
    {
      severity: "ERROR",
      phase: "schema",
      message: "could not read from input file: end of file",
      statement: "",
    },
  ]);
});

test("a damaged data file is the cause, the end of the workers follows from it", () => {
  const stderr = `
pg_restore: processing data for table "public.users"
pg_restore: error: could not read from input file: b.dir/4147.dat.gz: invalid bit length repeat
pg_restore: error: a worker process died unexpectedly`;
  expect(kinds(stderr)).toEqual(["cause", "consequence"]);
  expect(events(stderr)[0]).toMatchObject({ phase: "data" });
});

test("a lost connection is one cause, whatever is said afterwards", () => {
  const stderr = `
pg_restore: from TOC entry 3996; 1259 16499 INDEX users_trgm postgres
pg_restore: error: could not execute query: FATAL:  terminating connection due to administrator command
CONTEXT:  SQL statement "SELECT 1"
PL/pgSQL function public.k() line 1 at PERFORM
server closed the connection unexpectedly
	This probably means the server terminated abnormally
	before or while processing the request.
Command was: CREATE INDEX users_trgm ON public.users USING gin (name public.gin_trgm_ops);


pg_restore: from TOC entry 4150; 0 16501 MATERIALIZED VIEW DATA mv postgres
pg_restore: error: could not execute query: no connection to the server
Command was: REFRESH MATERIALIZED VIEW public.mv;


pg_restore: error: could not execute query: no connection to the server
Command was: --
-- PostgreSQL database dump complete
--

pg_restore: warning: errors ignored on restore: 3`;
  expect(kinds(stderr)).toEqual(["cause", "consequence", "consequence"]);
  expect(events(stderr)[0]).toMatchObject({ severity: "FATAL", sqlstate: "57P01" });
  expect(events(stderr)[1]).toMatchObject({
    sqlstate: "08006",
    message: "no connection to the server",
    object: "MATERIALIZED VIEW public.mv",
  });
});

test.each([
  ["function public.f(integer) does not exist", "42883"],
  ['relation "public.t" does not exist', "42P01"],
  ['type "public.e" does not exist', "42704"],
  ['role "x" does not exist', "42704"],
  ['schema "audit" does not exist', "3F000"],
  ['column "a" of relation "t" does not exist', "42703"],
  ["operator does not exist: a = b", "42883"],
  ['trigger "g" for table "t" does not exist', "42704"],
  ['schema "audit" already exists', "42P06"],
  ['function "f" already exists with same argument types', "42723"],
  ['type "e" already exists', "42710"],
  ['extension "x" is not available', "0A000"],
  ['could not open extension control file "x"', "58P01"],
  ['invalid byte sequence for encoding "UTF8": 0xc3 0x28', "22021"],
  ['invalid input syntax for type integer: "does not exist"', "22P02"],
  ['insert or update on table "a" violates foreign key constraint "b"', "23503"],
  ['could not extend file "base/1": No space left on device', "53100"],
  ["something new", undefined],
])("the SQLSTATE of %j is %s", (message, sqlstate) => {
  expect(sqlstateOf(message)).toBe(sqlstate);
});

test("a message whose beginning two workers have mixed up is a message all the same", () => {
  const output = new PgRestoreOutputReader();
  const lines = [
    "pg_restore: pg_restore: error: error: could not read from input file: end of file",
    "pg_restore: error: a worker process died unexpectedly",
  ];
  const messages = [...lines.flatMap((line) => output.push(line)), ...output.finish()];
  expect(messages.map((said) => said.type === "message" && said.event.message)).toEqual([
    "could not read from input file: end of file",
    "a worker process died unexpectedly",
  ]);
});
