import { createHash } from "node:crypto";
import { beforeAll, describe, expect, test } from "vitest";
import { mask } from "../../model/masks/mask";
import type { RestoreRequest } from "../../model/restore/protocol";
import { backUpWell } from "../support/backups/agent-backups";
import { verifyBackup } from "../support/backups/dumped-backup";
import { escalated, escalationSql, tries } from "../support/security/escalation";
import { useServer } from "../support/servers/server";

const server = useServer();
const database = "shop";

const asOwner = async (sql: string): Promise<string> =>
  server.sql(database, `SET ROLE ${database}_owner; SET search_path = public; ${sql}`);

const script = (text: string): RestoreRequest["prepare"] => ({
  upgrades: {
    rules: { gaps: "refused", baseline: "1" },
    scripts: [
      {
        ...{ package: "application", from: "1", to: "2", name: "upgrade-1-2.sql", text },
        sha256: createHash("sha256").update(text).digest("hex"),
      },
    ],
  },
});

beforeAll(async () => {
  expect(await server.makeRoles({ database })).toMatchObject({ status: 0 });
  await server.createDatabase("source", escalationSql);
  // The superuser has filled it; from here on nobody may.
  expect((await escalated(server)).length).toBeGreaterThan(8);
});

describe("code of the data runs with no superuser's rights", () => {
  test.each(["-Fp", "-Fc", "-Ft"])("when a dump is restored: pg_dump %s", async (format) => {
    const dump = await server.dump("source", format);
    const { result } = await server.restore({ database, dump });
    expect(result.result, result.text).toBe("restored");
    expect(await escalated(server)).toEqual([]);
    expect(await server.sql(database, "SELECT count(*) FROM public.t")).toBe("20");
    expect(await server.sql(database, "SELECT evtname, evtenabled FROM pg_event_trigger")).toBe(
      "e|O",
    );
  });

  test("when it is backed up and the backup is verified", async () => {
    const { id } = await backUpWell(server);
    const { result, stderr } = await verifyBackup(server, id);
    expect(result?.verification?.result, stderr).toBe("passed");
    expect(await escalated(server)).toEqual([]);
  });

  test("when upgrade scripts, masks and statements run, and tables are preserved", async () => {
    // Masks refuse a partition key that calls a function of the data.
    const dump = await server.dump("source", "-Fc", "--exclude-table=public.part*");
    const { result } = await server.restore({
      database,
      dump,
      restoreId: "prepared",
      prepare: {
        ...script(
          `DO $$ BEGIN ${tries("by_script")} END $$; UPDATE public.t SET a = a + 1; SELECT 1;`,
        ),
        masks: { classify: "listed only", columns: { "public.t.a": mask.null() } },
        defuse: [
          {
            name: "all",
            sql: `UPDATE public.t SET c = public.by_default(2); DO $$ BEGIN ${tries("by_defuse")} END $$`,
            expect: "SELECT true",
          },
        ],
        keep: [{ table: "public.t" }],
      },
    });
    expect(result.result, result.text).toBe("restored");
    expect(await escalated(server)).toEqual([]);
  });

  test("when the owner changes the function of an event trigger, and roles and rights are corrected", async () => {
    await asOwner(
      `CREATE OR REPLACE FUNCTION public.by_event() RETURNS event_trigger LANGUAGE plpgsql AS $f$ BEGIN ${tries("by_changed_event")} END $f$`,
    );
    await asOwner("GRANT ALL ON public.t TO PUBLIC");
    // These sessions of the test were a superuser's.
    await escalated(server);
    expect(await server.makeRoles({ database })).toMatchObject({ status: 0 });
    expect(await server.agent(["observe"])).toMatchObject({ status: 0 });
    expect(await escalated(server)).toEqual([]);
  });

  test("when scripts are tried on a copy", async () => {
    const { upgrades } = script("CREATE TABLE public.more (id int)") ?? {};
    const request = { server: server.name, database, mode: "dry run", upgrades };
    const { status, stderr } = await server.agent(["upgrades"], request);
    expect(status, stderr).toBe(0);
    expect(await escalated(server)).toEqual([]);
  });

  test("in a session of psql", async () => {
    const sql = "SET ROLE NONE; SELECT current_setting('is_superuser'), public.by_default(1)";
    const said = await server.agent(["psql", database, "-XAtqc", sql]);
    expect(said).toMatchObject({ status: 0, stdout: "off|1\n" });
    expect(await escalated(server)).toEqual([]);
  });

  test("and no login is left", async () => {
    const logins = "SELECT rolname FROM pg_roles WHERE rolname ~ '^stagecraft_session_'";
    expect(await server.sql("postgres", logins)).toBe("");
  });
});
