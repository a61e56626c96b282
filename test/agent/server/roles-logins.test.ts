import { spawn } from "node:child_process";
import { once } from "node:events";
import { execa } from "execa";
import { createInterface } from "node:readline";
import { beforeAll, describe, expect, test } from "vitest";
import { rolesResultSchema, type RolesResult } from "../../../model/roles/protocol";
import { docker, useServer, type TestRoles } from "../../support/servers/server";
import { plainDump } from "../../support/databases/shop";
import { until } from "../../support/time/until";

const server = useServer();

const printable = Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i)).join("");
const passwords = {
  application: `p4ss ${printable}`,
  readonly: "p4ss of the reader",
  monitor: "p4ss of the monitor",
};

/** Makes the roles of `shop`, some of them otherwise. */
const makeRoles = async (more: Partial<TestRoles> = {}): Promise<RolesResult> => {
  const said = await server.makeRoles({ database: "shop", ...passwords, ...more });
  expect(said.status, said.stderr).toBe(0);
  return rolesResultSchema.parse(JSON.parse(said.stdout));
};

/** Tries something over the network. */
const as = async (user: string, password: string, sql: string): Promise<string> => {
  const said = await server.as({ user, password, database: "shop" }, sql);
  return `${said.stdout}${said.stderr}`.trim();
};
const logIn = async (user: string, password: string): Promise<string> =>
  as(user, password, "SELECT session_user");

const logs = async (container: string): Promise<string> =>
  (await execa("docker", ["logs", container], { all: true })).all;

const refused = /password authentication failed|no password supplied/;

beforeAll(async () => {
  await makeRoles();
  const dump = plainDump("CREATE TABLE public.t (id int);\nCOPY public.t FROM stdin;\n1\n\\.\n");
  const { result } = await server.restore({ database: "shop", dump: Buffer.from(dump) });
  expect(result.result, result.text).toBe("restored");
});

describe("a password", () => {
  test.each([
    "all of ASCII: " + printable,
    "ünïcode Größe 日本語",
    "½ ﬁ ⅷ Å ﬀ",
    "decomposed u\u0308 n\u0303",
    "spaces\u00a0of\u2003all\u3000kinds",
    "soft\u00adhyphen\u200b and more",
    "🔑🔑🔑🔑🔑🔑🔑🔑",
    "סיסמה ארוכה",
    "كلمة المرور",
    "$(reboot) `id` %s \\n '' \"\"",
  ])("may be %s", async (password) => {
    expect((await makeRoles({ application: password })).changed).toEqual(["shop: new password"]);
    expect(await logIn("shop", password)).toBe("shop");
    expect(await logIn("shop", `${password}x`)).toMatch(refused);
    expect((await makeRoles({ application: password })).changed).toEqual([]);
  });

  test("is kept as it is while it stays the same", async () => {
    await makeRoles();
    const verifiers = "SELECT rolname, rolpassword FROM pg_authid ORDER BY 1";
    const before = await server.sql("postgres", verifiers);
    expect(await makeRoles()).toEqual({ created: [], changed: [] });
    expect(await server.sql("postgres", verifiers)).toBe(before);
    expect(before).toContain("SCRAM-SHA-256$4096:");
  });

  test("is changed without ending a session, and the old one ends at once", async () => {
    const script =
      'IFS= read -r PGPASSWORD; export PGPASSWORD; exec psql -qAtX -h "$1" -U shop -d shop -f -';
    const command = ["exec", "-i", server.agentContainer, "bash", "-c", script, "-"];
    const session = spawn("docker", [...command, server.postgres]);
    const answers = createInterface({ input: session.stdout })[Symbol.asyncIterator]();
    const ask = async (sql: string): Promise<unknown> => {
      session.stdin.write(`${sql}\n`);
      return (await answers.next()).value;
    };
    const backend = await ask(`${passwords.application}\nSELECT pg_backend_pid();`);
    await makeRoles({ application: "p4ss of the second day" });
    expect(await ask("SELECT pg_backend_pid();")).toBe(backend);
    expect(await ask("INSERT INTO t VALUES (2) RETURNING id;")).toBe("2");
    expect(await logIn("shop", passwords.application)).toMatch(refused);
    expect(await logIn("shop", "p4ss of the second day")).toBe("shop");
    session.stdin.end();
    await once(session, "close");
    await makeRoles();
  });

  test("never gives the superuser one, who cannot come in over the network", async () => {
    const people = [{ name: "postgres", role: "DbAdmin" as const, password: passwords.monitor }];
    const said = await server.makeRoles({ database: "shop", ...passwords, people });
    expect(said).toMatchObject({ status: 1, stdout: "" });
    expect(said.stderr).toContain("the user postgres must not be postgres, the superuser");
    const none = "SELECT rolpassword IS NULL FROM pg_authid WHERE rolname = 'postgres'";
    expect(await server.sql("postgres", none)).toBe("t");
    expect(await logIn("postgres", passwords.monitor)).toMatch(/pg_hba\.conf rejects connection/);
  });

  test("is nowhere but in PostgreSQL, as a verifier, and not even that is logged or watched", async () => {
    await server.sql(
      "postgres",
      `ALTER SYSTEM SET log_statement = 'all'; ALTER SYSTEM SET log_min_duration_statement = 0;
       ALTER SYSTEM SET log_parameter_max_length = -1; SELECT pg_reload_conf()`,
    );
    await makeRoles({
      application: "p4ss of the third day",
      people: [{ name: "dora", role: "DbAdmin", password: "p4ss of dora" }],
    });
    await server.sql("postgres", "ALTER SYSTEM RESET ALL; SELECT pg_reload_conf()");
    const seen = [
      await docker("inspect", server.postgres, server.agentContainer),
      await logs(server.postgres),
      await logs(server.agentContainer),
      await docker("top", server.agentContainer),
      (
        await server.run([
          ...["sh", "-c"],
          "cat /proc/*/cmdline /proc/*/environ 2>/dev/null | tr '\\0' '\\n'; grep -r . /var/lib/stagecraft /tmp",
        ])
      ).stdout,
      await server.sql("postgres", "SELECT query FROM pg_stat_activity"),
    ];
    // It does log what is said.
    expect(seen[1]).toContain("pg_try_advisory_lock");
    for (const text of seen) expect(text).not.toMatch(/p4ss|SCRAM-SHA-256\$\d/);
    await makeRoles();
  });

  test("of a request for another server is refused, and so is one that is too short", async () => {
    const request = {
      ...{ server: "production", kind: "development", monitor: passwords.monitor, people: [] },
      databases: [{ name: "shop", application: "secret", readonly: passwords.readonly }],
    };
    const short = await server.agent(["roles"], { ...request, server: server.name });
    expect(short.stderr).toMatch(/^the request does not fit this agent:\n.*at least 8 characters/);
    expect(short.stderr).not.toContain("secret");
    const [shop] = request.databases;
    const databases = [{ ...shop, application: passwords.application }];
    const { stderr } = await server.agent(["roles"], { ...request, databases });
    expect(stderr).toMatch(/^the request is for server production, this is sct-/);
  });
});

describe("people", () => {
  const person = (name: string, role: "DbAdmin" | "Developer" | "Tester" | "HelpDesk") => ({
    ...{ name, role },
    password: `p4ss of ${name}`,
  });
  const people = [
    person("ada", "DbAdmin"),
    person("bob", "Developer"),
    person("tess", "Tester"),
    person("hal", "HelpDesk"),
  ];
  const ask = async (name: string, sql: string): Promise<string> =>
    as(name, `p4ss of ${name}`, sql);

  const read = "SELECT count(*) >= 0 FROM t";
  const write = "BEGIN; INSERT INTO t VALUES (3); ROLLBACK; SELECT 't'";
  const make = "BEGIN; CREATE TABLE mine (id int); ROLLBACK; SELECT 't'";
  const becomeOwner = `SET ROLE shop_owner; ${make}`;
  const watch = "SELECT count(*) > 0 FROM pg_stat_activity WHERE query ~ 'pg_stat_activity'";

  test.each([
    ["development", "ada", { becomeOwner, watch }, { read, write, make }],
    ["development", "bob", { read, write, make, becomeOwner }, {}],
    ["development", "tess", { read, write }, { make, becomeOwner }],
    ["development", "hal", { watch }, { read, write, becomeOwner }],
    ["staging", "ada", { becomeOwner, watch }, { read, write, make }],
    ["staging", "bob", { read }, { write, make, becomeOwner }],
    ["staging", "tess", { read, write }, { make, becomeOwner }],
    ["production", "ada", { becomeOwner, watch }, { read, write, make }],
    ["production", "hal", { watch }, { read, write, becomeOwner }],
  ] as const)(
    "on %s, %s may do what fits the role and nothing else",
    async (kind, name, may, not) => {
      const here =
        kind === "production" ? people.filter((p) => !["bob", "tess"].includes(p.name)) : people;
      await makeRoles({ kind, people: here });
      for (const sql of Object.values(may)) expect(await ask(name, sql)).toBe("t");
      for (const sql of Object.values(not))
        expect(await ask(name, sql)).toMatch(/permission denied|in a read-only transaction/);
      expect(await ask(name, "SET ROLE postgres")).toMatch(/permission denied/);
    },
  );

  test("who are taken out of the list may not log in, and their sessions end", async () => {
    await makeRoles({ people });
    const held = as("ada", "p4ss of ada", "SET ROLE shop_owner; SELECT pg_sleep(7200)");
    const waits = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'ada' AND query ~ 'sleep'";
    await until("ada's session", async () => (await server.sql("postgres", waits)) === "1");
    const result = await makeRoles({ people: people.filter(({ name }) => name !== "ada") });
    expect(result.changed).toEqual([
      "ada: no longer a member of stagecraft_dbadmin",
      "ada: no longer listed in people, cannot log in",
      "stagecraft_dbadmin: no longer a member of shop_owner",
      "stagecraft_dbadmin: no longer a member of stagecraft_monitor",
    ]);
    expect(await held).toMatch(/terminating connection due to administrator command/);
    expect(await ask("ada", "SELECT 1")).toMatch(refused);
    const password = "SELECT rolcanlogin, rolpassword IS NULL FROM pg_authid WHERE rolname = 'ada'";
    expect(await server.sql("postgres", password)).toBe("f|t");
    await makeRoles({ people });
    expect(await ask("ada", becomeOwner)).toBe("t");
  });

  test("are never taken for roles that others have made", async () => {
    await server.sql("postgres", "CREATE ROLE erin LOGIN CREATEDB");
    const said = await server.makeRoles({
      database: "shop",
      people: [person("erin", "HelpDesk")],
    });
    expect(said).toMatchObject({ status: 1, stdout: "" });
    expect(said.stderr).toBe(
      `people.erin: role erin exists on this server and was not created by Stagecraft; give the user another name, or let Stagecraft manage the role with: COMMENT ON ROLE "erin" IS 'stagecraft: person'\n`,
    );
    await makeRoles();
    const erin = "SELECT rolcanlogin, rolcreatedb FROM pg_roles WHERE rolname = 'erin'";
    expect(await server.sql("postgres", erin)).toBe("t|t");
  });
});
