import { beforeAll, describe, expect, test } from "vitest";
import { useServer } from "../../support/servers/server";

const server = useServer();
const dumps: Buffer[] = [];

beforeAll(async () => {
  await server.createDatabase("source", "CREATE TABLE public.t AS SELECT 42 AS answer");
  dumps.push(await server.dump("source"), await server.dump("source", "-Fc"));
});

describe("a database may be called", () => {
  test.each([
    "My Database",
    `it's "quoted"`,
    "x; DROP DATABASE source; --",
    "a=b user=app",
    "postgresql://app@example.com/x",
    "Übergrößenträger 日本",
    "back\\slash $HOME `id` %s",
    "-U",
    "..",
    "n".repeat(52),
  ])("%s", async (database) => {
    for (const dump of dumps) {
      const { result } = await server.restore({ database, dump });
      expect(result.result, result.text).toBe("restored");
      expect(await server.sql(database, "SELECT answer FROM public.t")).toBe("42");
      expect(
        await server.sql(database, "SELECT n_distinct FROM pg_stats WHERE tablename = 't'"),
      ).toBe("-1");
    }
    await server.expectNothingUnfinished();
    expect(await server.databases()).toEqual(["source", database, `${database}__previous`].sort());
    const quoted = database.replaceAll('"', '""');
    await server.sql("postgres", `DROP DATABASE "${quoted}"; DROP DATABASE "${quoted}__previous"`);
  });
});

test.each([
  ["n".repeat(53), /must be at most 52 bytes long, .* got 53/],
  ["ü".repeat(27), /must be at most 52 bytes long, .* got 54/],
  ["", /must not be empty/],
  ["postgres", /must not be one of PostgreSQL's own databases/],
  ["x__previous", /must not end in "__previous", which marks databases that Stagecraft creates/],
  ["pg_shop", /must not begin with "pg_", which PostgreSQL reserves for its own roles/],
])("a database may not be called %j", async (database, text) => {
  const source = { name: "dump.sql", sha256: "0".repeat(64) };
  const request = {
    server: server.name,
    kind: "development",
    database,
    source,
    restoreId: "1",
    mode: "replace",
    roles: "leave out",
  };
  const said = await server.agent(["restore"], request);
  expect(said).toMatchObject({
    status: 1,
    stdout: "",
    stderr: expect.stringMatching(text) as string,
  });
  const received = await server.agentWith(
    ["receive", "0".repeat(64), database, "replace"],
    Buffer.alloc(0),
  );
  expect(received).toMatchObject({ status: 1, stderr: expect.stringMatching(text) as string });
  expect(await server.databases()).toEqual(["source"]);
});
