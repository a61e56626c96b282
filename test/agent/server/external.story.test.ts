import { execa } from "execa";
import { beforeAll, describe, expect, test } from "vitest";
import { ownDatabase } from "../../../agent/postgres/own-database";
import { observationSchema, type Observation } from "../../../model/observation/observation";
import { backUpWell } from "../../support/backups/agent-backups";
import { useExternalServer } from "../../support/servers/external-server";
import { docker } from "../../support/servers/server";
import { atMost, second } from "../../support/time/limit.mjs";

const server = useExternalServer();

const passwords = {
  application: "of the application",
  readonly: "of the reader",
  monitor: "of the monitor",
};

const contents = `
  CREATE EXTENSION pg_trgm;
  CREATE TABLE public.customers (id int PRIMARY KEY, name text);
  INSERT INTO public.customers SELECT n, 'customer ' || n FROM generate_series(1, 500) AS n;`;

async function observed(): Promise<Observation> {
  return observationSchema.parse(JSON.parse((await server.agent(["observe"])).stdout));
}

test("before it knows an address the agent refuses work", async () => {
  expect(await server.agent(["observe"])).toEqual({
    status: 1,
    stdout: "",
    stderr: "the agent has no connection to the external server yet; run pulumi up again\n",
  });
});

describe("an address is kept only when it leads to a server that can be looked after:", () => {
  const at = "PostgreSQL at db.example:5432";

  test.each([
    [
      "wrong password",
      { password: "a wrong one" },
      `${at} rejects the password of the boss; correct superuser.password`,
    ],
    [
      "wrong port",
      { port: 5433 },
      "PostgreSQL at db.example:5433 is not reachable (ECONNREFUSED); start it there, or correct address and listen_addresses",
    ],
    [
      "wrong name",
      { host: "nowhere.invalid" },
      "PostgreSQL at nowhere.invalid:5432 cannot be found: host nowhere.invalid does not resolve; correct address.host, or use an IP address",
    ],
    [
      "an authority that systems know",
      { ca: undefined },
      `${at} has a certificate that is not signed by tls.ca (unable to verify the first certificate); set tls.ca to the CA that signed it`,
    ],
  ])("%s", async (_, more, text) => {
    expect(await server.connectAgent(more)).toEqual({ status: 1, stdout: "", stderr: `${text}\n` });
  });

  test("a certificate for another name", async () => {
    const { status, stderr } = await server.connectAgent({ host: server.postgres });
    expect(status).toBe(1);
    expect(stderr).toBe(
      `PostgreSQL at ${server.postgres}:5432 has a certificate for another name; set address.host to a name in it, or issue a certificate for ${server.postgres}\n`,
    );
  });

  test("a role that is no superuser", async () => {
    await server.sql("postgres", "CREATE ROLE clerk LOGIN PASSWORD 'of the clerk'");
    const { stderr } = await server.connectAgent({ user: "clerk", password: "of the clerk" });
    expect(stderr).toBe(
      `clerk is not a superuser of ${at}; make it one with: ALTER ROLE "clerk" SUPERUSER\n`,
    );
  });

  test("a role that no rule is for", async () => {
    const rules = await server.onItsMachine(["sh", "-c", 'cat "$PGDATA/pg_hba.conf"']);
    const put =
      'cat > "$PGDATA/pg_hba.conf" && psql -qAtX -U postgres -c "SELECT pg_reload_conf()"';
    await server.onItsMachine(["sh", "-c", put], "local all postgres peer\n");
    const { stderr } = await server.connectAgent();
    await server.onItsMachine(["sh", "-c", put], rules.stdout);
    expect(stderr).toMatch(
      /^PostgreSQL at db\.example:5432 rejects the boss: no pg_hba\.conf entry for host "[\d.]+", user "the boss", database "postgres", SSL encryption; add a rule for the agent to its pg_hba\.conf\n$/,
    );
  });

  test("a server without TLS", async () => {
    const turn = async (to: "on" | "off") =>
      server.sql(
        "postgres",
        `ALTER SYSTEM SET ssl = ${to}; \\g /dev/null\nSELECT pg_reload_conf()`,
      );
    await turn("off");
    const { stderr } = await server.connectAgent();
    await turn("on");
    expect(stderr).toBe(
      `${at} does not support TLS; set ssl = on there, or tls.mode: "disable" if the network is trusted\n`,
    );
  });

  test("the agent's own container", async () => {
    const { stderr } = await server.connectAgent({ host: "localhost" });
    expect(stderr).toContain(
      "must not be a loopback or wildcard address, which is the agent's own container there; use the machine's address in its network, e.g. of its Docker bridge, 172.17.0.1",
    );
  });

  test("none of these was kept", async () => {
    expect((await server.agent(["observe"])).stderr).toContain(
      "has no connection to the external server yet",
    );
    expect((await server.run(["ls", "/var/lib/stagecraft"])).stdout).not.toContain("connection");
  });
});

describe("connected by name, with the certificate checked", () => {
  let restored: Awaited<ReturnType<typeof server.restore>>;
  let dump: Buffer;

  beforeAll(async () => {
    await server.createDatabase("source", contents);
    dump = await server.dump("source", "-Fc");
    await server.sql("postgres", "DROP DATABASE source");
  });

  test("the agent keeps the way, readable by itself alone, and tells of the server", async () => {
    const { status, stdout } = await server.connectAgent();
    expect(status).toBe(0);
    const told = JSON.parse(stdout) as object;
    expect(told).toMatchObject({
      postgres: expect.stringMatching(/^17\./) as string,
      hbaFile: "/var/lib/postgresql/data/pgdata/pg_hba.conf",
      dataDirectory: "/var/lib/postgresql/data/pgdata",
      clientAddress: expect.stringMatching(/^\d+\.\d+\.\d+\.\d+$/) as string,
      changed: true,
    });
    expect(JSON.parse((await server.connectAgent()).stdout)).toEqual({ ...told, changed: false });
    const modes = "cd /var/lib/stagecraft && stat -c '%n %a' connection.*";
    expect((await server.run(["sh", "-c", modes])).stdout).toBe(
      "connection.ca 600\nconnection.json 600\nconnection.pass 600\n",
    );
  });

  test("roles are made, and made again nothing changes", async () => {
    const roles = { database: "shop", ...passwords };
    const { status, stdout, stderr } = await server.makeRoles(roles);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(JSON.parse(stdout)).toEqual({
      created: ["shop_owner", "shop", "shop_readonly", "stagecraft_monitor"],
      changed: [],
    });
    expect(JSON.parse((await server.makeRoles(roles)).stdout)).toEqual({
      created: [],
      changed: [],
    });
  });

  test("a dump is restored whole, though the disk cannot be seen", async () => {
    restored = await server.restore({ database: "shop", dump, name: "shop.dump" });
    expect(restored.result.result, restored.result.text).toBe("restored");
    expect(restored.result.text).toBe(
      "shop ← shop.dump   passed with notes: role postgres: 1 object restored without owner",
    );
    expect(restored.stderr).toMatch(
      /^cannot check whether PostgreSQL's machine has the .* of disk space that shop\.dump needs$/m,
    );
    expect(await server.sql("shop", "SELECT count(*), sum(id) FROM customers")).toBe("500|125250");
    expect(
      await server.sql("shop", "SELECT tableowner FROM pg_tables WHERE tablename = 'customers'"),
    ).toBe("shop_owner");
    expect(
      await server.sql(
        "shop",
        "SELECT proowner::regrole FROM pg_proc WHERE proname = 'similarity'",
      ),
    ).toBe("postgres");
    expect(
      await server.sql("postgres", "SELECT rolname FROM pg_roles WHERE rolsuper ORDER BY 1"),
    ).toBe("postgres\nthe boss");
    expect(await server.databases()).toEqual(["shop"]);
  });

  test("the second restore finds it done", async () => {
    const { result } = await server.restore({ database: "shop", dump, name: "shop.dump" });
    expect(result).toMatchObject({
      result: "unchanged",
      text: "shop already has the contents of shop.dump",
    });
  });

  test("a plain dump of other contents takes their place", async () => {
    await server.createDatabase("source", `${contents} DELETE FROM customers WHERE id > 100;`);
    const plain = await server.dump("source");
    await server.sql("postgres", "DROP DATABASE source");
    const { result } = await server.restore({ database: "shop", dump: plain });
    expect(result.result, result.text).toBe("restored");
    expect(await server.sql("shop", "SELECT count(*) FROM customers")).toBe("100");
    expect(await server.sql("shop__previous", "SELECT count(*) FROM customers")).toBe("500");
  });

  test("the application and the reader have their rights and no more", async () => {
    const as = async (user: string, password: string, sql: string) =>
      (await server.as({ user, password, database: "shop" }, sql)).stdout.trim();
    expect(
      await as("shop", passwords.application, "DELETE FROM customers WHERE id = 1 RETURNING id"),
    ).toBe("1");
    expect(await as("shop_readonly", passwords.readonly, "SELECT count(*) FROM customers")).toBe(
      "99",
    );
    expect(await as("shop_readonly", passwords.readonly, "DELETE FROM customers")).toBe("");
    expect(await server.sql("shop", "SELECT count(*) FROM customers")).toBe("99");
  });

  test("what the agent sees fits its own kind of server: no drift, no files of ours", async () => {
    const seen = await observed();
    expect(seen).toMatchObject({
      freeBytes: null,
      connection: { host: "db.example", port: 5432, user: "the boss" },
      settings: { values: {}, sha256: null, alterSystem: [], pendingRestart: [] },
      roles: { faults: [], missing: [], superusers: [], rights: [], recorded: true, strangers: [] },
      tls: { on: true, fingerprint: null, names: [], given: true },
      pgHba: {
        text: "# somebody else's rules\nlocal all postgres peer\nhost all all samenet scram-sha-256\n",
      },
    });
    expect(seen.databases.map(({ name }) => name)).toEqual(["shop", "shop__previous"]);
    // The one for its locks is closed.
    expect(
      (
        await server.as(
          { user: "shop", password: passwords.application, database: ownDatabase },
          "",
        )
      ).stderr,
    ).toContain(`permission denied for database "${ownDatabase}"`);
    // Everybody may still connect to the databases of others.
    expect(
      await server.sql("postgres", "SELECT has_database_privilege('clerk', 'postgres', 'CONNECT')"),
    ).toBe("t");
  });

  test("another superuser shows", async () => {
    await server.sql("postgres", "ALTER ROLE clerk SUPERUSER");
    expect((await observed()).roles.superusers).toEqual(["clerk"]);
    await server.sql("postgres", "ALTER ROLE clerk NOSUPERUSER");
  });

  test("a stranger is removed from our roles, and otherwise only named for what it can read", async () => {
    await server.sql(
      "postgres",
      `GRANT shop_owner TO clerk; GRANT pg_read_all_data TO clerk; ALTER ROLE clerk CREATEDB; ALTER ROLE shop SET search_path = clerk;
       ALTER ROLE clerk SET work_mem = '5MB'; ALTER ROLE ALL SET work_mem = '6MB'`,
    );
    const { roles } = await observed();
    expect(roles.faults).toEqual([
      { role: "shop", faults: ["has a setting of search_path"] },
      { role: "shop_owner", faults: ["has the member clerk, which is not declared"] },
    ]);
    expect(roles.strangers).toEqual([
      {
        role: "clerk",
        faults: ["is a member of pg_read_all_data"],
        statements: ['REVOKE "pg_read_all_data" FROM "clerk" GRANTED BY "postgres" CASCADE'],
      },
    ]);
    const said = await server.makeRoles({ database: "shop", ...passwords });
    expect(JSON.parse(said.stdout)).toEqual({
      created: [],
      changed: [
        "clerk: no longer a member of shop_owner",
        'shop: has a setting of search_path; now RESET "search_path"',
      ],
    });
    expect((await observed()).roles.faults).toEqual([]);
    const others = `SELECT rolcreatedb, pg_has_role('clerk', 'pg_read_all_data', 'MEMBER'),
      (SELECT count(*) FROM pg_db_role_setting s CROSS JOIN unnest(setconfig) t WHERE t ~ '^work_mem=') FROM pg_roles WHERE rolname = 'clerk'`;
    expect(await server.sql("postgres", others)).toBe("t|t|2");
    await server.sql(
      "postgres",
      "REVOKE pg_read_all_data FROM clerk; ALTER ROLE clerk NOCREATEDB; ALTER ROLE clerk RESET work_mem; ALTER ROLE ALL RESET work_mem",
    );
  });

  test("a role and a database that others made are left alone", async () => {
    await server.sql(
      "postgres",
      "CREATE ROLE ledger LOGIN; CREATE DATABASE ledger OWNER ledger".replace(";", ";\n"),
    );
    expect((await server.makeRoles({ database: "ledger" })).stderr).toBe(
      `role ledger exists on this server and was not created by Stagecraft; give the database another name, or let Stagecraft manage the role with: COMMENT ON ROLE "ledger" IS 'stagecraft: application'\n`,
    );
    const { result } = await server.restore({ database: "ledger", dump });
    expect(result.text).toContain(
      'database ledger was not created by Stagecraft, so it is not replaced; rename it with: ALTER DATABASE "ledger" RENAME TO …',
    );
    expect(await server.databases()).toEqual(["ledger", "shop", "shop__previous"]);
    expect(
      await server.sql(
        "postgres",
        "SELECT string_agg(rolname, ' ') FROM pg_roles WHERE rolname LIKE 'ledger%'",
      ),
    ).toBe("ledger");
  });

  test.each([
    ["settings", { settings: {} }, "parameters are"],
    ["settings-confirm", { settings: {} }, "parameters are"],
    ["tls", { names: ["db.example"] }, "the certificate is"],
    ["pg-hba", { text: "local all all trust\n", required: [] }, "pg_hba.conf is"],
  ])("%s is refused", async (verb, request, what) => {
    expect(await server.agent([verb], { server: server.name, ...request })).toEqual({
      status: 1,
      stdout: "",
      stderr: `${what} not managed on an external server: Stagecraft did not create ${server.name} and manages only its roles and databases; leave it out of the stack, or change it on the server itself\n`,
    });
  });

  test("the password is in no list of processes, environment, log or description of a container", async () => {
    const big = `CREATE TABLE public.t AS SELECT n, md5(n::text) AS word FROM generate_series(1, 300000) AS n; CREATE INDEX ON public.t (word);`;
    await server.createDatabase("source", big);
    const archive = await server.file(await server.dump("source", "-Fc"));
    await server.sql("postgres", "DROP DATABASE source");
    const watching = server.run(["bash", "-c", watch], Buffer.from(server.password));
    const { result } = await server.restore({ database: "shop", dump: archive });
    await server.run(["touch", "/tmp/stop"]);
    expect(result.result, result.text).toBe("restored");
    const seen = new Set((await watching).stdout.trim().split("\n"));
    expect(seen).toContain("saw pg_restore");
    expect([...seen].filter((line) => line.startsWith("found"))).toEqual([]);

    const texts = await Promise.all([
      docker("inspect", server.agentContainer),
      logs(server.agentContainer),
      logs(server.postgres),
      server.agent(["log"]).then(({ stdout }) => stdout),
      server.agent(["report"]).then(({ stdout }) => stdout),
      server.agent(["observe"]).then(({ stdout }) => stdout),
    ]);
    for (const text of texts) {
      expect(text).not.toBe("");
      for (const secret of [server.password.slice(-12), ...Object.values(passwords)])
        expect(text).not.toContain(secret);
    }
  });

  test("a backup of its databases is made, and proven by a restore", async () => {
    const rows = Number(await server.sql("shop", "SELECT count(*) FROM public.t"));
    const { id, databases } = await backUpWell(server);
    const shop = databases.find(({ name }) => name === "shop");
    expect(shop?.tables).toEqual([{ schema: "public", name: "t", rows }]);
    const { stdout, stderr } = await server.agent(["verify"], { server: server.name, backup: id });
    expect(JSON.parse(stdout), stderr).toMatchObject({
      verification: { result: "passed", restored: true },
    });
  });

  test("a password that was changed over there is told at once, and a new one is taken", async () => {
    await server.sql("postgres", `ALTER ROLE "the boss" PASSWORD 'another one'`);
    const started = performance.now();
    const { stderr } = await server.makeRoles({ database: "shop" });
    expect(stderr).toBe(
      "PostgreSQL at db.example:5432 rejects the password of the boss; correct superuser.password\n",
    );
    expect(performance.now() - started).toBeLessThan(atMost(30 * second));
    expect(await server.connectAgent({ password: "another one" })).toMatchObject({ status: 0 });
    expect((await observed()).databases.length).toBeGreaterThan(0);
  });
});

async function logs(container: string): Promise<string> {
  const { all } = await execa("docker", ["logs", container], { all: true });
  return all;
}

/** Looks at all processes until it is told to stop: which programs it saw, and which of them had a secret in argv or environment. */
const watch = `cat > /tmp/secret
until [ -e /tmp/stop ]; do
  for process in /proc/[0-9]*; do
    name=$(tr '\\0' ' ' < $process/cmdline) 2> /dev/null
    case $name in *pg_restore*) echo "saw pg_restore" ;; esac
    if cat $process/cmdline $process/environ 2> /dev/null | tr '\\0' '\\n' | grep -qF -f /tmp/secret; then echo "found in $name"; fi
  done
done 2> /dev/null`;
