import { createHash } from "node:crypto";
import { beforeAll, describe, expect, test } from "vitest";
import { mask } from "../../model/masks/mask";
import { backUpWell } from "../support/backups/agent-backups";
import { verifyBackup } from "../support/backups/dumped-backup";
import { shopSql } from "../support/databases/shop";
import { Shadows } from "../support/security/shadows";
import { useServer, type CommandResult } from "../support/servers/server";

const server = useServer();
const database = "shop";
const shadows = new Shadows(server, database);
async function ask(verb: string, request?: object): Promise<CommandResult> {
  return server.agent(
    [verb],
    request === undefined ? undefined : { server: server.name, ...request },
  );
}

const restoreRequest = {
  ...{ database, kind: "development", restoreId: "again", mode: "replace", roles: "leave out" },
};

const text = "CREATE TABLE public.added (id int);";
const upgrades = {
  rules: { gaps: "refused", baseline: "1" },
  scripts: [
    {
      ...{ package: "application", from: "1", to: "2", name: "upgrade-1-2.sql", text },
      sha256: createHash("sha256").update(text).digest("hex"),
    },
  ],
};

/** Has every schema of a database and what is in it dumped and restored over it. */
async function refresh(prepare: object): Promise<void> {
  const dump = await server.file(await server.dump(database, "-Fc"));
  const { sha256 } = await server.receive(dump, { database });
  const source = { name: "again.dump", sha256 };
  const { result } = await server.restoreReceived({ ...restoreRequest, source, prepare } as never);
  expect(result.result, result.text).toBe("restored");
}

beforeAll(async () => {
  expect(await server.makeRoles({ database })).toMatchObject({ status: 0 });
  await server.createDatabase("source", shopSql);
  const { result } = await server.restore({ database, dump: await server.dump("source") });
  expect(result.result, result.text).toBe("restored");
  await server.sql("postgres", "DROP DATABASE source");
  await shadows.plant();
});

test("a superuser's session with the database's own settings would call them: the shadows work", async () => {
  await server.sql(database, "SELECT count(*) FROM pg_class WHERE relname = lower('X')");
  expect(await shadows.called()).toEqual(
    expect.arrayContaining(["lower", "operator =", "relation pg_class"]),
  );
});

describe("no superuser calls what the owner of a database has put in its way", () => {
  test.each([
    ["observe", undefined],
    ["databases", undefined],
    ["backups", { pins: [] }],
    ["upgrades", { database, mode: "look", upgrades }],
    ["upgrades", { database, mode: "dry run", upgrades }],
  ] as const)("%s", async (verb, request) => {
    const { status, stderr } = await ask(verb, request);
    expect(status, stderr).toBe(0);
    expect(await shadows.called()).toEqual([]);
  });

  test("roles", async () => {
    // Something to correct in the database.
    await server.sql(database, "SET search_path = public; GRANT ALL ON customers TO PUBLIC");
    expect(await server.makeRoles({ database })).toMatchObject({ status: 0 });
    expect(await shadows.called()).toEqual([]);
  });

  test("a backup and its verification", async () => {
    const { id } = await backUpWell(server);
    const { result, stderr } = await verifyBackup(server, id);
    expect(result?.verification?.result, stderr).toBe("passed");
    expect(await shadows.called()).toEqual([]);
  });

  test("a refresh with scripts, masks, statements and preserved tables", async () => {
    await refresh({
      upgrades,
      masks: { classify: "listed only", columns: { "public.customers.name": mask.hash() } },
      defuse: [{ name: "nothing", sql: "SELECT 1", expect: "SELECT true" }],
      keep: [{ table: "public.customers" }],
    });
    expect(await shadows.called()).toEqual([]);
  });
});
