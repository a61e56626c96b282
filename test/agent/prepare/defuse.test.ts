import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { defusePresets } from "../../../model/defuse/presets";
import type { Defuse } from "../../../model/defuse/statement";
import { defuse as timesheetsDefuse } from "../../../stacks/defuse";
import { masks } from "../../../stacks/masks";
import { placeMasksProgram, runMasks, type MasksOutcome } from "../../support/masks/run-masks";
import { useServer } from "../../support/servers/server";
import { checkout } from "../../support/files/checkout";

const server = useServer();
const key = "a key for tests that is long enough";
const example = join(checkout, "examples/timesheets");

beforeAll(async () => {
  await placeMasksProgram(server);
});

async function defuse(database: string, statements: Defuse): Promise<MasksOutcome> {
  return runMasks(server, { database, key, defuse: statements });
}

/** Files of the data folder with this in them, but for the write-ahead log. */
async function filesWith(word: string): Promise<string[]> {
  await server.sql("postgres", "CHECKPOINT");
  const script =
    'cd /var/lib/postgresql/data/pgdata && grep -rlaF --exclude-dir=pg_wal "$1" . | sort';
  const { stdout } = await server.run(["bash", "-c", script, "-", word]);
  return stdout.split("\n").filter((line) => line !== "");
}

describe("the example application's database", () => {
  let outcome: MasksOutcome;
  beforeAll(async () => {
    const dump = "pg_dump.production.timesheets.20261115.032900.sql";
    await server.sql("postgres", "CREATE DATABASE timesheets TEMPLATE template0");
    const text = readFileSync(join(example, dump), "utf8");
    await server.sql("timesheets", `\\set ON_ERROR_STOP 0\n${text}`);
    expect((await filesWith("user41@timesheets.example")).length).toBeGreaterThan(1);
    outcome = await runMasks(server, {
      database: "timesheets",
      key,
      masks,
      defuse: timesheetsDefuse,
    });
  });

  test("is classified column by column, masked and defused", async () => {
    expect(outcome.error).toBeUndefined();
    expect(outcome.problems).toEqual([]);
    expect(outcome.masked?.values).toBeGreaterThan(10_000);
    expect(outcome.defused?.statements.map(({ name, rows }) => [name, rows])).toEqual([
      ["mail off", 3],
      ["scheduled jobs off", 4],
      ["tokens blanked", 60],
      ["addresses rewritten", 6],
    ]);
    expect(await server.sql("timesheets", "SELECT count(*) FROM settings")).toBe("11");
  });

  test("has all its rows but for those that were defused", async () => {
    const expected = JSON.parse(readFileSync(join(example, "expected.json"), "utf8")) as Record<
      string,
      number
    >;
    const counted: Record<string, number> = {};
    for (const name of Object.keys(expected))
      counted[name] = Number(await server.sql("timesheets", `SELECT count(*) FROM ONLY ${name}`));
    expect(counted).toEqual({ ...expected, "public.sessions": 0, "public.mail_queue": 57 });
  });

  test("keeps nobody's address, name or token in any file", async () => {
    const words = [
      "@timesheets.example",
      "@customer176.example",
      "Sofía Klein",
      "$2b$12$",
      "example-token-0000",
      "example-secret-1",
      "Ørsteds Vej",
      "97e653920994a97a",
    ];
    for (const word of words) expect([word, await filesWith(word)]).toEqual([word, []]);
    const dump = (await server.dump("timesheets")).toString();
    for (const word of words) expect(dump).not.toContain(word);
  });

  test("keeps people together with what is theirs", async () => {
    // The dates of a person moved by the same, so nobody took time off before being hired.
    expect(
      await server.sql(
        "timesheets",
        `SELECT count(*), count(*) FILTER (WHERE "Days" = "To" - "From" + 1) FROM "Time Off" t JOIN users u ON u.id = t."User Id"`,
      ),
    ).toBe("320|320");
    expect(
      await server.sql(
        "timesheets",
        "SELECT count(*) > 0 FROM invoices i JOIN customers c ON c.billing_email = i.sent_to",
      ),
    ).toBe("t");
    expect(await server.sql("timesheets", "SELECT count(*) FROM pg_largeobject_metadata")).toBe(
      "0",
    );
    expect(await server.sql("timesheets", "SELECT count(*) FROM audit.entries")).toBe("500");
  });
});

describe("an OpenACS database", () => {
  const tables = `
    CREATE TABLE apm_parameters (parameter_id int PRIMARY KEY, package_key text, parameter_name text);
    CREATE TABLE apm_parameter_values (value_id serial, package_id int, parameter_id int REFERENCES apm_parameters, attr_value text);
    CREATE TABLE acs_mail_lite_queue (message_id int PRIMARY KEY, to_addr text, from_addr varchar(200), body text);
    CREATE TABLE notifications (notification_id int PRIMARY KEY, notif_subject text);
    CREATE TABLE notification_user_map (notification_id int REFERENCES notifications ON DELETE CASCADE, user_id int);
    CREATE TABLE secret_tokens (token_id int PRIMARY KEY, token char(40), token_timestamp timestamptz);
    CREATE TABLE sec_session_properties (session_id bigint, module text, property_name text, property_value text);
    CREATE TABLE host_node_map (host text, node_id int);
    INSERT INTO apm_parameters VALUES (1, 'acs-mail-lite', 'EmailDeliveryMode'), (2, 'acs-kernel', 'SystemURL'),
      (3, 'acs-kernel', 'AdminOwner'), (4, 'acs-kernel', 'SystemName');
    INSERT INTO apm_parameter_values (package_id, parameter_id, attr_value) VALUES (7, 1, 'default'),
      (8, 2, 'https://intranet.example'), (8, 3, 'admin@intranet.example'), (8, 4, 'Intranet');
    INSERT INTO acs_mail_lite_queue VALUES (1, 'customer@example', 'us@example', 'a mail');
    INSERT INTO notifications VALUES (1, 'news'); INSERT INTO notification_user_map VALUES (1, 5);
    INSERT INTO secret_tokens VALUES (1, repeat('S3CRET', 6), now()); INSERT INTO sec_session_properties VALUES (1, 'm', 'p', 'v');
    INSERT INTO host_node_map VALUES ('intranet.example', 3);`;

  test("is defused by the preset", async () => {
    await server.createDatabase("openacs", tables);
    const { error, defused } = await defuse(
      "openacs",
      defusePresets.openAcs({ url: "http://copy.example/o'brien" }),
    );
    expect(error).toBeUndefined();
    expect(defused?.statements.map(({ name, rows }) => [name, rows])).toEqual([
      ["mail off", 2],
      ["notifications off", 2],
      ["tokens replaced", 2],
      ["addresses rewritten", 3],
    ]);
    expect(
      await server.sql(
        "openacs",
        "SELECT string_agg(attr_value, ' ' ORDER BY parameter_id) FROM apm_parameter_values",
      ),
    ).toBe("log http://copy.example/o'brien nobody@example.invalid Intranet");
    expect(
      await server.sql("openacs", "SELECT token ~ '^copy[0-9a-f]{36}$' FROM secret_tokens"),
    ).toBe("t");
    expect(await filesWith("S3CRETS3CRET")).toEqual([]);
  });

  test("that has no such parameter any more is not taken for defused", async () => {
    await server.createDatabase(
      "openacs_changed",
      `${tables} UPDATE apm_parameters SET parameter_name = 'Mode' WHERE parameter_id = 1`,
    );
    const { error } = await defuse("openacs_changed", defusePresets.openAcs());
    expect(error).toMatch(/^defuse "mail off": its post-condition /);
    expect(await server.sql("openacs_changed", "SELECT count(*) FROM acs_mail_lite_queue")).toBe(
      "1",
    );
  });
});

describe("a statement", () => {
  const jobsSql = `
    CREATE TABLE jobs (id int PRIMARY KEY, token text, enabled boolean);
    CREATE TABLE runs (job int CONSTRAINT runs_job REFERENCES jobs ON DELETE CASCADE);
    CREATE TABLE log (what text);
    CREATE FUNCTION write() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO log VALUES (OLD.token); RETURN NEW; END $$;
    CREATE TRIGGER write AFTER UPDATE ON jobs FOR EACH ROW EXECUTE FUNCTION write();
    INSERT INTO jobs SELECT n, 'tok' || 'EN-' || n, true FROM generate_series(1, 3) n;
    INSERT INTO runs VALUES (1);
    ANALYZE;`;
  const off = "UPDATE jobs SET enabled = false, token = NULL";
  const isOff = "SELECT NOT EXISTS (SELECT FROM jobs WHERE enabled OR token IS NOT NULL)";

  beforeAll(async () => {
    await server.createDatabase("jobs", jobsSql);
  });

  test.each<[string, Defuse[number][], RegExp]>([
    [
      "whose post-condition is false",
      [{ name: "off", sql: `${off} WHERE id = 1`, expect: isOff }],
      /^defuse "off": its post-condition is false after the statement; change the statement, .*\n {2}SELECT NOT EXISTS \(SELECT FROM jobs/,
    ],
    [
      "whose post-condition answers something else",
      [{ name: "off", sql: off, expect: "SELECT count(*) FROM jobs" }],
      /^defuse "off": its post-condition must return one row with one column that is true or false/,
    ],
    [
      "whose post-condition answers NULL",
      [{ name: "off", sql: off, expect: "SELECT bool_and(token IS NULL) FROM jobs WHERE id > 9" }],
      /^defuse "off": its post-condition must return/,
    ],
    [
      "whose post-condition is wrong",
      [{ name: "off", sql: off, expect: "SELECT nothing FROM jobs" }],
      /^defuse "off": 42703 {2}column "nothing" does not exist; fix the statement, or remove it .*\n {2}nothing FROM jobs$/,
    ],
    [
      "that is wrong",
      [
        {
          name: "off",
          sql: "UPDATE jobs SET enabled = false;\n UPDATE job SET enabled = false",
          expect: isOff,
        },
      ],
      /^defuse "off": 42P01 {2}relation "job" does not exist; .*\n {2}job SET enabled = false$/,
    ],
    [
      "that ends its transaction",
      [{ name: "off", sql: `${off} WHERE false; COMMIT`, expect: "SELECT true" }],
      /^defuse "off": its statements end the transaction in which they run; remove COMMIT and ROLLBACK$/,
    ],
    [
      "that leaves a foreign key broken",
      [{ name: "gone", sql: "DELETE FROM jobs WHERE id = 1", expect: "SELECT true" }],
      /^defuse "gone": leaves rows of runs without the row of jobs that they reference \(foreign key runs_job\)/,
    ],
    [
      "that a later one undoes",
      [
        { name: "off", sql: off, expect: isOff },
        { name: "on", sql: "UPDATE jobs SET enabled = true WHERE id = 2", expect: "SELECT true" },
      ],
      /^defuse "off": its post-condition is false again after the later statements/,
    ],
  ])("%s stops with what, where and the fix", async (_, statements, text) => {
    await server.sql(
      "postgres",
      "DROP DATABASE IF EXISTS jobs_copy; CREATE DATABASE jobs_copy TEMPLATE jobs",
    );
    const { error, defused } = await defuse("jobs_copy", statements);
    expect(error).toMatch(text);
    expect(defused).toBeUndefined();
    if (statements.length === 1)
      expect(await server.sql("jobs_copy", "SELECT count(*) FROM jobs WHERE enabled")).toBe("3");
  });

  test("fires no trigger, and leaves nothing of what it took away in any file", async () => {
    // The table and its statistics, of both databases.
    expect((await filesWith("tokEN-")).length).toBe(4);
    for (const database of ["jobs", "jobs_copy"]) {
      const { error, defused } = await defuse(database, [
        {
          name: "no runs",
          sql: "DELETE FROM runs",
          expect: "SELECT NOT EXISTS (SELECT FROM runs)",
        },
        { name: "off", sql: off, expect: isOff },
      ]);
      expect(error).toBeUndefined();
      expect(defused?.statements.map(({ rows }) => rows)).toEqual([1, 3]);
    }
    expect(await server.sql("jobs", "SELECT count(*) FROM log")).toBe("0");
    expect(await filesWith("tokEN-")).toEqual([]);
  });
});
