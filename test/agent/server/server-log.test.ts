import { execa } from "execa";
import { beforeAll, describe, expect, test } from "vitest";
import { traceParameters } from "../../../model/parameters/trace-parameters";
import { plainDump } from "../../support/databases/shop";
import { useServer } from "../../support/servers/server";

/** Logs as a production server does by default. */
const server = useServer({
  settings: Object.entries(traceParameters("production")).map(
    ([name, value]) => `${name}=${value}`,
  ),
});

const passwords = { application: "p4ss of the application", readonly: "p4ss of the reader" };
const ada = { user: "ada", password: "p4ss of ada", database: "shop" };

const serverLog = async (): Promise<string> =>
  (await execa("docker", ["logs", server.postgres], { all: true })).all;

beforeAll(async () => {
  const people = [{ name: "ada", role: "DbAdmin" as const, password: ada.password }];
  const said = await server.makeRoles({ database: "shop", ...passwords, people });
  expect(said.status, said.stderr).toBe(0);
  const dump = plainDump("CREATE TABLE public.t (id int);");
  const { result } = await server.restore({ database: "shop", dump: Buffer.from(dump) });
  expect(result.result, result.text).toBe("restored");
});

describe("the server log", () => {
  test("says who connected from where, who changed the schema, and when they left", async () => {
    const said = await server.as(ada, "SET ROLE shop_owner; CREATE TABLE public.by_ada (id int);");
    expect(said.stderr).toBe("");
    const log = await serverLog();
    const who = String.raw`^[\d-]+ [\d:.]+ UTC \[\d+\] user=ada,db=shop,client=[\d.]+ LOG: {2}`;
    expect(log).toMatch(new RegExp(`${who}connection authorized: user=ada database=shop`, "m"));
    expect(log).toMatch(
      new RegExp(
        String.raw`${who}statement: SET ROLE shop_owner; CREATE TABLE public\.by_ada|${who}statement: CREATE TABLE public\.by_ada`,
        "m",
      ),
    );
    expect(log).toMatch(new RegExp(`${who}disconnection: session time: .* user=ada`, "m"));
  });

  test("names who waits for a lock", async () => {
    expect(await server.sql("postgres", "SHOW log_lock_waits")).toBe("on");
  });

  test("has no password, and no verifier of one", async () => {
    const changed = { ...passwords, application: "p4ss of the next day" };
    expect(await server.makeRoles({ database: "shop", ...changed })).toMatchObject({ status: 0 });
    const log = await serverLog();
    expect(log).toMatch(/statement: CREATE ROLE/);
    expect(log).not.toContain("p4ss");
    expect(log).not.toContain("SCRAM-SHA-256$");
  });
});

describe("a dump", () => {
  const size = async (): Promise<number> => Buffer.byteLength(await serverLog());

  test.each(["LOG", "WARNING", "NOTICE", "INFO"])(
    "cannot fill the server log: RAISE %s in a loop",
    async (level) => {
      const before = await size();
      const storm = `DO $$ BEGIN FOR n IN 1..20000 LOOP RAISE ${level} '%', repeat('x', 1000); END LOOP; END $$;`;
      const { result } = await server.restore({
        database: "storm",
        dump: Buffer.from(plainDump(storm)),
      });
      expect(result.result, result.text).toBe("restored");
      expect((await size()) - before).toBeLessThan(200_000);
    },
  );

  test("cannot fill the agent's volume with its messages", async () => {
    const storm =
      "DO $$ BEGIN FOR n IN 1..300 LOOP RAISE WARNING '%', repeat('x', 1000000); END LOOP; END $$;";
    const { result } = await server.restore({
      database: "storm",
      dump: Buffer.from(plainDump(storm)),
    });
    expect(result.result, result.text).toBe("restored");
    const { stdout } = await server.agent(["log", result.log ?? ""]);
    expect(stdout.length).toBeLessThan(4_000_000);
    expect(JSON.stringify(result).length).toBeLessThan(200_000);
  });
});
