import { beforeAll, describe, expect, test } from "vitest";
import { observationSchema } from "../../../model/observation/observation";
import { refreshPlanSchema } from "../../../model/restore/refresh-plan";
import { recoverResultSchema } from "../../../model/restore/recover-protocol";
import {
  newestReportSchema,
  type RestoreRequest,
  type RestoreResult,
} from "../../../model/restore/protocol";
import { backUp, backUpWell, schedule } from "../../support/backups/agent-backups";
import { useRemotes } from "../../support/offsite/remotes";
import { applyPreset, useStackServer } from "../../support/servers/stack-server";

const server = useStackServer({ kind: "production", database: "shop" });
const away = useRemotes(server);
const longName = "n".repeat(60);
const age = { identity: "", recipient: "" };
let id = "";

/** Puts the place of the copies in force. */
async function configure(): Promise<void> {
  const offsite = { ...away.sftp(), recipients: [age.recipient] };
  const request = { jobs: {}, maintenance: {}, keep: {}, pins: [], offsite };
  const said = await server.agent(["backups-schedule"], { server: server.name, ...request });
  expect(said.status, said.stderr).toBe(0);
}

/** Loses all databases, with their roles, what was set for the server, and all that the agent knows of backups. */
async function loseAll(): Promise<void> {
  for (const name of ["shop", "crm", "audit", longName])
    await server.sql("postgres", `DROP DATABASE "${name}" WITH (FORCE)`);
  await server.sql("postgres", "DROP ROLE crm_app; DROP ROLE crm_rw; DROP ROLE boss");
  await server.sql("postgres", "ALTER SYSTEM RESET ALL");
  await server.sql("postgres", "SELECT pg_reload_conf()");
  await applyPreset(server, "production", "shop");
  const state = "cd /var/lib/stagecraft && rm -f offsite-copies.json backups.json reports/*";
  await server.output(["sh", "-c", `rm -rf /var/backups/stagecraft/*; ${state}`]);
}

/** Asks for production's recovery from the copy. */
async function recoverFromCopy(more: Partial<RestoreRequest> = {}) {
  return server.restoreReceived({
    database: "shop",
    mode: "when missing",
    acceptUnverified: true,
    source: { name: id, backup: id, repository: `sftp:backups/${server.name}` },
    offsite: { ...away.sftp(), server: server.name, identity: age.identity },
    ...more,
  });
}

const oldDump = Buffer.from(`--
-- PostgreSQL database dump
--
SET client_encoding = 'UTF8';
CREATE TABLE public.orders (id integer);
COPY public.orders (id) FROM stdin;
1
\\.

--
-- PostgreSQL database dump complete
--
`);

/** Asks for production's recovery from the dump that it once began with. */
async function recoverFromDump(more: Partial<RestoreRequest> = {}) {
  const asked = {
    database: "shop",
    mode: "when missing",
    dump: oldDump,
    name: "first.sql",
  } as const;
  return (await server.restore({ ...asked, ...more })).result;
}

const orders = async (): Promise<string> => server.sql("shop", "SELECT count(*) FROM orders");

beforeAll(async () => {
  age.identity = (await server.output(["age-keygen"])).toString();
  age.recipient = /public key: (\S+)/.exec(age.identity)?.[1] ?? "";
  await server.createDatabase("shop", "CREATE TABLE orders AS SELECT generate_series(1, 5) AS id");
  await server.createDatabase("audit", "CREATE TABLE events AS SELECT 1 AS id");
  await server.createDatabase(longName, "");
  await server.createDatabase("crm", "");
  await server.sql(
    "crm",
    `CREATE ROLE crm_rw; CREATE ROLE boss SUPERUSER LOGIN;
     CREATE ROLE crm_app LOGIN CREATEDB PASSWORD 'secret of crm' IN ROLE crm_rw;
     ALTER DATABASE crm OWNER TO crm_app; ALTER DATABASE crm SET search_path = crm;
     CREATE SCHEMA crm AUTHORIZATION crm_app; SET ROLE crm_app;
     CREATE TABLE crm.people (id int PRIMARY KEY); INSERT INTO crm.people VALUES (1), (2);
     GRANT SELECT ON crm.people TO crm_rw; RESET ROLE;
     CREATE FUNCTION crm.of_boss() RETURNS int LANGUAGE sql AS 'SELECT 1'; ALTER FUNCTION crm.of_boss() OWNER TO boss`,
  );
  await server.sql("postgres", "ALTER SYSTEM SET work_mem = '7MB'");
  await server.sql("postgres", "SELECT pg_reload_conf()");
  const hba = await server.sql("postgres", "SHOW hba_file");
  const line = "host crm crm_app 10.9.0.0/16 scram-sha-256";
  await server.output(["sh", "-c", `echo '${line}' >> ${hba}`]);
  await configure();
  id = (await backUpWell(server)).id;
  await loseAll();
});

test("production that has lost everything makes no backup of nothing, which would be its newest", async () => {
  const { status, stderr } = await backUp(server);
  expect(status).toBe(1);
  expect(stderr).toContain(
    `cause     ${server.name} has no database to back up\n  fix       if its contents are lost, restore them: npx stagecraft recover`,
  );
});

describe("a recovery of production from off-site alone", () => {
  test("brings back every database of the backup, and names each, and the one that it cannot", async () => {
    const { result, status } = await recoverFromCopy();
    expect(result.result, result.text).toBe("restored");
    expect(status).toBe(0);
    expect(await server.databases()).toEqual(["audit", "crm", "shop"]);
    expect(await orders()).toBe("5");
    expect(await server.sql("audit", "SELECT count(*) FROM events")).toBe("1");
    expect(result.others?.databases).toMatchObject([
      { database: "audit", result: "restored" },
      { database: "crm", result: "restored" },
      { database: longName, result: "failed" },
    ]);
    expect(result.text).toMatch(
      new RegExp(
        `^shop ← ${id} .*\\n${longName} is still missing: .*\\naudit ← ${id} passed.*\\ncrm ← ${id} passed`,
      ),
    );
    await server.expectNothingUnfinished();
    expect((await server.run(["ls", "-A", "/var/backups/stagecraft"])).stdout).not.toContain(
      "fetched",
    );
  });

  test("its roles own what they owned, without login, password and rights, and say what they had", async () => {
    const sql = `SELECT tableowner, has_table_privilege('crm_rw', 'crm.people', 'SELECT'),
      has_database_privilege('crm_app', 'crm', 'CONNECT'), pg_has_role('crm_app', 'crm_rw', 'MEMBER')
      FROM pg_tables WHERE tablename = 'people'`;
    expect(await server.sql("crm", sql)).toBe("crm_app|t|t|t");
    const roles = `SELECT rolname, rolcanlogin OR rolsuper OR rolcreatedb, rolpassword IS NULL FROM pg_authid
      WHERE rolname IN ('crm_app', 'crm_rw', 'boss') ORDER BY 1`;
    expect(await server.sql("postgres", roles)).toBe("boss|f|t\ncrm_app|f|t\ncrm_rw|f|t");
    const { others } = (await newestReport()) ?? {};
    expect(others?.roles.join("\n")).toMatch(
      /boss exists without what it had: it had SUPERUSER LOGIN.*\ncrm_app exists without what it had: it had CREATEDB LOGIN; to give it back: ALTER ROLE "crm_app" CREATEDB LOGIN PASSWORD '…'$/,
    );
    expect(JSON.stringify(others)).not.toContain("secret of crm");
  });

  test("what the backup has of parameters and access rules, and the server has not, is said, and nothing else", async () => {
    const { others } = (await newestReport()) ?? {};
    expect(others?.differences).toEqual(
      expect.arrayContaining([
        "crm belonged to crm_app, and belongs to crm_owner",
        expect.stringMatching(/^parameter work_mem was 7168 kB, and is \d+ kB$/),
        "pg_hba.conf had: host crm crm_app 10.9.0.0/16 scram-sha-256",
      ]),
    );
    const settings = others?.differences.filter((text) => /^parameter|^pg_/.test(text));
    expect(settings).toHaveLength(2);
  });
});

describe("production that once had contents is not filled with older ones:", () => {
  beforeAll(async () => {
    await server.sql("postgres", "DROP DATABASE shop WITH (FORCE)");
  });

  test("while a copy of its own is newer, which is named with the way to it", async () => {
    const { remote, options } = away.sftp();
    const request = { ownCopies: { remote, options } };
    const result = await recoverFromDump(request);
    expect(result.result).toBe("failed");
    expect(result.text).toContain(
      `its stack names older contents than there are: ${id} is in sftp:backups/${server.name}, but data names first.sql, whose age is unknown`,
    );
    expect(result.text).toContain(`set data.acceptOlder: ${id}`);
    const planned = await server.agent(["plan"], {
      ...{ server: server.name, kind: "production", restoreId: "plan", mode: "when missing" },
      ...{ roles: "leave out", database: "shop", source: result.source, ...request },
    });
    const { problems } = refreshPlanSchema.parse(JSON.parse(planned.stdout));
    expect(problems.join("\n")).toContain("older contents than there are");
    expect(await server.databases()).not.toContain("shop");
  });

  test("while its copies cannot be listed", async () => {
    const { remote, options } = away.sftp("stranger");
    const result = await recoverFromDump({ ownCopies: { remote, options } });
    expect(result.result).toBe("failed");
    expect(result.text).toContain("its off-site copies, which may be newer than what data names");
  });

  test("unless that is accepted up to a backup", async () => {
    const { remote, options } = away.sftp();
    const ownCopies = { remote, options };
    const less = { ownCopies, acceptOlder: "20200101T000000Z" };
    expect((await recoverFromDump(less)).result).toBe("failed");
    expect((await recoverFromDump({ ownCopies, acceptOlder: id })).result).toBe("restored");
    expect(await orders()).toBe("1");
  });
});

describe("a database that is lost from a server that runs", () => {
  const recover = async (more: object = {}) => {
    const own = { database: "shop", roles: "leave out" };
    const said = await server.agent(["recover"], {
      ...{ server: server.name, kind: "production", own, ...more },
    });
    const answer =
      said.stdout === "" ? undefined : recoverResultSchema.parse(JSON.parse(said.stdout));
    return { ...said, answer };
  };

  test("is named, and comes back from the server's own backups", async () => {
    await schedule(server, {});
    const backup = await backUpWell(server);
    await server.sql("postgres", "DROP DATABASE crm WITH (FORCE)");
    const observed = await server.agent(["observe"]);
    const { backups } = observationSchema.parse(JSON.parse(observed.stdout));
    expect(backups.missing).toEqual([{ database: "crm", backup: backup.id }]);
    expect((await recover()).stderr).toContain("no verified backup here has a database crm");
    const { answer, status } = await recover({ acceptUnverified: true });
    expect(status).toBe(0);
    expect(answer?.text).toMatch(new RegExp(`^crm ← ${backup.id} passed`));
    expect(await server.sql("crm", "SELECT count(*) FROM crm.people")).toBe("2");
  });

  test("and one that is there is never replaced", async () => {
    expect((await recover()).answer?.text).toBe(
      `${server.name} has all databases that its backups have`,
    );
    const asked = await recover({ databases: ["crm"], acceptUnverified: true });
    expect(asked).toMatchObject({
      status: 1,
      stderr: expect.stringContaining("recover only restores what is missing") as string,
    });
  });
});

/** The report of the newest restore. */
async function newestReport(): Promise<RestoreResult | null> {
  const { stdout } = await server.agent(["report"]);
  return newestReportSchema.parse(JSON.parse(stdout));
}
