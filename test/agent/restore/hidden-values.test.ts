import { execa } from "execa";
import { expect, test } from "vitest";
import { mask } from "../../../components";
import { sha256Of } from "../../../agent/system/digest";
import type { Preparation } from "../../../model/restore/preparation";
import { useServer } from "../../support/servers/server";
import { plainDump } from "../../support/databases/shop";

const server = useServer();
const masks = {
  classify: "listed only",
  columns: { "users.*": mask.public(), "mails.*": mask.public() },
} as const;

/** What a refresh that failed says, also in its logs. */
async function told(dump: Buffer, prepare: Preparation): Promise<string> {
  const restored = await server.restore({
    ...{ database: "shop", restoreId: `untold-${++restores}`, kind: "staging", dump, prepare },
  });
  expect(restored.result.result, restored.result.text).toBe("failed");
  const [log, report, { all: serverLog }] = await Promise.all([
    server.agent(["log", restored.result.log ?? ""]),
    server.agent(["report"]),
    execa("docker", ["logs", server.postgres], { all: true }),
  ]);
  return JSON.stringify([restored, log, report, serverLog]);
}
let restores = 0;

const tables = `CREATE TABLE public.users (email text, age int CHECK (age > 0));
  CREATE TABLE public.mails (email text);
  CREATE FUNCTION public.refuse(email text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN
    RAISE EXCEPTION 'not %', email USING HINT = 'ask ' || email; END $$;
  CREATE TABLE public.refusing (email text CHECK (public.refuse(email)));\n`;

const copy = (table: string, ...rows: readonly string[]): string =>
  `COPY public.${table} FROM stdin;\n${rows.map((row) => `${row}\n`).join("")}\\.\n`;

test("of a plain dump that does not go in no value is told, but what was wrong, and where", async () => {
  const dump = plainDump(
    tables +
      copy("users", "canary-1@x\tcanary-2") +
      copy("mails", "canary-4@x", "canary-4@x", "canary-5@x\tcanary-6") +
      "INSERT INTO public.users VALUES ('canary-8@x', 'canary-7');\n" +
      "ALTER TABLE public.users ADD UNIQUE (email);\n",
  );
  const all = await told(Buffer.from(dump), { masks });
  expect(all).not.toContain("canary");
  expect(all).toContain("invalid input syntax for type integer…");
  expect(all).toContain("COPY public.users, line 1, column age");
  expect(all).toContain("INSERT INTO public.users …");
});

test.each([
  ["users", "canary-3@x\t-1", /users_age_check[^]*a masked value violates that check/],
  ["refusing", "canary-7@x", /masking refusing: P0001 {2}a message that may contain values/],
])("of a plain dump with rows that violate a check of %s, neither", async (table, row, text) => {
  const all = await told(Buffer.from(plainDump(tables + copy(table, row))), { masks });
  expect(all).not.toContain("canary");
  expect(all).toMatch(text);
});

test("of an archive that does not go in, neither", async () => {
  await server.createDatabase(
    "broken",
    `${tables}
     ALTER TABLE users ADD UNIQUE (email);
     ALTER TABLE mails ADD FOREIGN KEY (email) REFERENCES users (email);
     SET session_replication_role = replica; INSERT INTO mails VALUES ('canary-9@x')`,
  );
  await server.sql(
    "broken",
    `CREATE FUNCTION gone(email text) RETURNS text IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN
       IF current_database() <> 'broken' THEN RAISE EXCEPTION 'the user % does not exist', email; END IF; RETURN email; END $$;
     CREATE INDEX ON mails (gone(email))`,
  );
  const all = await told(await server.dump("broken", "-Fc"), { masks });
  expect(all).toContain("a message that may contain values and is not shown");
  expect(all).not.toContain("canary");
  expect(all).toContain(String.raw`violates foreign key constraint \\\"mails_email_fkey\\\"`);
});

test.each([
  ["SELECT email::int FROM mails", "invalid input syntax for type integer…"],
  [
    "DO $$ BEGIN RAISE EXCEPTION 'not %', (SELECT email FROM mails); END $$",
    "a message that may contain values and is not shown",
  ],
  [
    "CREATE TABLE m (email text CHECK (email = '')); INSERT INTO m SELECT email FROM mails",
    "m_email_check",
  ],
])("of an upgrade script that fails, neither: %s", async (sql, message) => {
  const dump = plainDump(tables + copy("mails", "canary-10@x"));
  const text = `DO $$ BEGIN RAISE WARNING 'odd: %', (SELECT email FROM mails); END $$;\n${sql};\n`;
  const script = { package: "app", from: "1.0", to: "1.1", name: "upgrade-1.0-1.1.sql", text };
  const upgrades = {
    scripts: [{ ...script, sha256: sha256Of(text) }],
    rules: { gaps: "refused", baseline: "1.0" },
  } as const;
  const all = await told(Buffer.from(dump), {
    masks,
    upgrades: { ...upgrades, scripts: [...upgrades.scripts] },
  });
  expect(all).not.toContain("canary");
  expect(all).toContain(message);
});

test("without masks all of it is told", async () => {
  const all = await told(Buffer.from(plainDump(tables + copy("users", "a@x\tcanary"))), {});
  expect(all).toContain(String.raw`invalid input syntax for type integer: \\\"canary\\\"`);
});
