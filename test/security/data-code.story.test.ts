import { createHash } from "node:crypto";
import { beforeAll, describe, expect, test } from "vitest";
import { serverKinds } from "../../model/base/names";
import { mask } from "../../model/masks/mask";
import type { RestoreRequest } from "../../model/restore/protocol";
import { backUpWell } from "../support/backups/agent-backups";
import { verifyBackup } from "../support/backups/dumped-backup";
import { escalated, escalationSql, tries } from "../support/security/escalation";
import { useExternalServer } from "../support/servers/external-server";
import type { TestServer } from "../support/servers/server";
import { useStackServer } from "../support/servers/stack-server";

const database = "shop";

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

/** What is the same on every server. */
function testDataCode(server: TestServer, formats: readonly string[]): void {
  const production = server.kind === "production";

  const asOwner = async (sql: string): Promise<string> =>
    server.sql(database, `SET ROLE ${database}_owner; SET search_path = public; ${sql}`);

  /** Restores a dump over the database; on production after somebody has dropped it. */
  async function restore(
    format: string,
    prepare?: RestoreRequest["prepare"],
    ...more: readonly string[]
  ): Promise<void> {
    if (production)
      await server.sql("postgres", `DROP DATABASE IF EXISTS ${database} WITH (FORCE)`);
    const mode = production ? "when missing" : "replace";
    const dump = await server.dump("source", format, ...more);
    const restoreId = `${format}${prepare ? "-prepared" : ""}`;
    const request = { database, dump, mode, restoreId, prepare } as const;
    // A backup made before by these tests is newer than the dump.
    const acceptOlder = "20991231T235959Z";
    const { result } = await server.restore({ ...request, ...(production && { acceptOlder }) });
    expect(result.result, result.text).toBe("restored");
  }

  beforeAll(async () => {
    await server.createDatabase("source", escalationSql);
    // The superuser has filled it; from here on nobody may.
    expect((await escalated(server)).length).toBeGreaterThan(8);
  });

  test.each(formats)("when a dump is restored: pg_dump %s", async (format) => {
    await restore(format);
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
    const prepare: RestoreRequest["prepare"] = {
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
      keep: production ? [] : [{ table: "public.t" }],
    };
    // Masks reject a partition key that calls a function of the data.
    await restore("-Fc", prepare, "--exclude-table=public.part*");
    expect(await escalated(server)).toEqual([]);
  });

  test("when the owner changes the function of an event trigger, and roles and rights are corrected", async () => {
    await asOwner(
      `CREATE OR REPLACE FUNCTION public.by_event() RETURNS event_trigger LANGUAGE plpgsql AS $f$ BEGIN ${tries("by_changed_event")} END $f$`,
    );
    await asOwner("GRANT ALL ON public.t TO PUBLIC");
    // These sessions of the test were a superuser's.
    expect(await escalated(server)).toContain("by_changed_event");
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
}

describe.each(serverKinds)(
  "code of the data runs with no superuser's rights on a server of the kind %s",
  (kind) => {
    const formats = kind === "development" ? ["-Fp", "-Fc", "-Ft"] : ["-Fc"];
    testDataCode(useStackServer({ kind, database }), formats);
  },
);

describe("code of the data runs with no superuser's rights on an external server", () => {
  const server = useExternalServer();
  beforeAll(async () => {
    expect(await server.connectAgent()).toMatchObject({ status: 0 });
    expect(await server.makeRoles({ database })).toMatchObject({ status: 0 });
  });
  testDataCode(server, ["-Fp", "-Fc"]);
});
