import { beforeAll, describe, expect, test } from "vitest";
import { tries } from "../../support/security/escalation";
import { plainDump } from "../../support/databases/shop";
import { useExternalServer } from "../../support/servers/external-server";
import type { CommandResult } from "../../support/servers/server";

/** An external server that the agent takes for one of PostgreSQL 16, which has no parameter `event_triggers`. */
const server = useExternalServer();

const mark = "/tmp/superuser-";
const roles = { database: "shop", application: "of the application", readonly: "of the reader" };

/** Has the agent change something in the database: it takes a privilege away that nobody declared. */
async function correctRights(): Promise<CommandResult> {
  await server.sql("shop", "GRANT SELECT ON public.items TO PUBLIC");
  // What the superuser of this test has fired.
  await server.takeFiles(mark);
  return server.makeRoles(roles);
}

const isCorrected = async (): Promise<boolean> =>
  (await server.sql(
    "shop",
    "SELECT relacl::text ~ '[{,]=r' FROM pg_class WHERE relname = 'items'",
  )) === "f";

beforeAll(async () => {
  expect(await server.connectAgent()).toMatchObject({ status: 0 });
  const file = "/var/lib/stagecraft/connection.json";
  const older = `const fs = require("node:fs"); const c = JSON.parse(fs.readFileSync("${file}", "utf8")); fs.writeFileSync("${file}", JSON.stringify({ ...c, major: 16 }))`;
  expect(await server.run(["node", "-e", older])).toMatchObject({ status: 0 });
  expect(await server.makeRoles(roles)).toMatchObject({ status: 0 });
  const dump = plainDump(
    "CREATE TABLE public.items (id int); INSERT INTO public.items VALUES (1);",
  );
  const { result } = await server.restore({ database: "shop", dump: Buffer.from(dump) });
  expect(result.result, result.text).toBe("restored");
  await server.sql(
    "shop",
    `CREATE FUNCTION public.note(what text) RETURNS void LANGUAGE plpgsql AS $f$
       BEGIN EXECUTE pg_catalog.format('COPY (SELECT 1) TO %L', '${mark}' OPERATOR(pg_catalog.||) what); EXCEPTION WHEN OTHERS THEN NULL; END $f$;
     CREATE FUNCTION public.by_event() RETURNS event_trigger LANGUAGE plpgsql AS $f$ BEGIN ${tries("event")} END $f$;
     ALTER FUNCTION public.by_event() OWNER TO shop_owner;
     CREATE EVENT TRIGGER "e 1" ON ddl_command_end EXECUTE FUNCTION public.by_event();`,
  );
});

describe("an event trigger whose function belongs to the owner of the database", () => {
  test("does not fire when the agent's superuser changes something", async () => {
    expect(await correctRights()).toMatchObject({ status: 0 });
    expect(await isCorrected()).toBe(true);
    expect(await server.takeFiles(mark)).toEqual([]);
  });

  test.each(["ALWAYS", "REPLICA"])(
    "that fires even then (ENABLE %s) is named, and nothing is changed",
    async (when) => {
      await server.sql("shop", `ALTER EVENT TRIGGER "e 1" ENABLE ${when}`);
      const said = await correctRights();
      expect(said.status).toBe(1);
      expect(said.stderr).toContain(
        'database shop has the event trigger e 1, which fires in all sessions, and whose function public.by_event() belongs to shop_owner, who is no superuser: it would run with the agent\'s rights; run ALTER EVENT TRIGGER "e 1" ENABLE',
      );
      expect(await server.takeFiles(mark)).toEqual([]);
      await server.sql("shop", 'ALTER EVENT TRIGGER "e 1" ENABLE');
      expect(await server.makeRoles(roles)).toMatchObject({ status: 0 });
      expect(await isCorrected()).toBe(true);
    },
  );

  test("that belongs to a superuser may fire", async () => {
    await server.sql(
      "shop",
      'ALTER FUNCTION public.by_event() OWNER TO postgres; ALTER EVENT TRIGGER "e 1" ENABLE ALWAYS',
    );
    expect(await correctRights()).toMatchObject({ status: 0 });
    expect(await isCorrected()).toBe(true);
  });
});
