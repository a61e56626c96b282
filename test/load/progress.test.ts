import { beforeAll, expect, test } from "vitest";
import { useServer } from "../support/servers/server";

const server = useServer();

beforeAll(async () => {
  await server.createDatabase(
    "source",
    `CREATE TABLE public.t AS SELECT id FROM generate_series(1, 120000) AS id;
     CREATE MATERIALIZED VIEW public.slow AS SELECT id, pg_sleep(3)::text FROM public.t LIMIT 2;`,
  );
});

test("a restore that takes long tells how far it is, of an archive as of a plain dump", async () => {
  const archive = await server.restore({
    database: "from an archive",
    dump: await server.dump("source", "-Fc"),
  });
  expect(archive.stderr).toMatch(/^restore \d+ % · [\d.]+ kB of [\d.]+ kB/m);
  expect(archive.result.result).toBe("restored");

  const plain = String(await server.dump("source"));
  const slowly = plain.replace(/^COPY /m, "SELECT pg_sleep(3);\n\nCOPY ");
  const said = await server.restore({ database: "from sql", dump: Buffer.from(slowly) });
  expect(said.stderr).toMatch(/^restore \d+ % · [\d.]+ kB of [\d.]+ kB/m);
});
