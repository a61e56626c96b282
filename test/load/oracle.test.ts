import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import type { RolesChoice } from "../../model/restore/protocol";
import { unexpected } from "../support/oracle/allowed";
import { differences, readFacts } from "../support/oracle/facts";
import {
  corpusName,
  corpusRoles,
  oldServers,
  useOldServers,
  type OldServer,
} from "../support/oracle/old-servers";
import { restoreWithPsql } from "../support/oracle/psql-restore";
import { useServer } from "../support/servers/server";

const server = useServer({ memory: "3g", dataSize: "2500m" });
const old = useOldServers(server);

interface Format {
  readonly name: string;
  readonly args: readonly string[];
  readonly format: "plain" | "archive" | "folder";
  readonly roles: RolesChoice;
  /** Whether the dump creates its database. */
  readonly creates?: true;
}

const formats: readonly Format[] = [
  { name: "plain", args: [], format: "plain", roles: "leave out" },
  { name: "inserts", args: ["--inserts"], format: "plain", roles: "leave out" },
  { name: "create", args: ["-C"], format: "plain", roles: "create without login", creates: true },
  { name: "custom", args: ["-Fc"], format: "archive", roles: "create without login" },
  { name: "tar", args: ["-Ft"], format: "archive", roles: "leave out" },
  { name: "directory", args: ["-Fd"], format: "folder", roles: "leave out" },
];

/** The oldest version and the newest two are dumped in every format, those between in two each, so that every format is there twice. */
const inEveryFormat = new Set([10, 17, 18]);

function formatsOf(major: number): readonly Format[] {
  if (inEveryFormat.has(major)) return formats;
  const half = formats.length / 2;
  return formats.filter((_, index) => index % half === major % half);
}

/** What a later version no longer knows, or an earlier one does not know yet: PostgreSQL 17 rejects it in a dump. */
const rejected = [
  {
    major: 11,
    object: "public.moments",
    sql: "CREATE TABLE public.moments (a abstime); INSERT INTO public.moments VALUES ('2020-01-01')",
  },
  {
    major: 13,
    object: "public.all_of",
    sql: "CREATE AGGREGATE public.all_of(anyelement) (SFUNC = array_append, STYPE = anyarray)",
  },
  {
    major: 18,
    object: "public.doubled",
    sql: "CREATE TABLE public.doubled (a int, b int GENERATED ALWAYS AS (a * 2) VIRTUAL); INSERT INTO public.doubled VALUES (1)",
  },
] as const;

const dumps = new Map<string, string>();
const dumpName = (name: string, major: number): string => `${name}_${major}`;

async function dump(
  from: OldServer,
  { name, args }: Pick<Format, "name" | "args">,
  database: string,
): Promise<void> {
  const path = server.path(dumpName(name, from.major));
  dumps.set(dumpName(name, from.major), await old.dump(from, database, args, path));
}

async function makeDumps(from: OldServer): Promise<void> {
  await old.startServer(from);
  for (const format of formatsOf(from.major)) await dump(from, format, corpusName(from.major));
  for (const { sql } of rejected.filter(({ major }) => major === from.major)) {
    await old.createDatabase(from, "rejected", sql);
    for (const [name, args] of Object.entries({ "old-plain": [], "old-custom": ["-Fc"] }))
      await dump(from, { name, args }, "rejected");
  }
  await old.stopServer(from);
}

beforeAll(async () => {
  await server.sql("postgres", corpusRoles);
  const waiting = [...oldServers];
  const work = async (): Promise<void> => {
    for (let from = waiting.shift(); from; from = waiting.shift()) await makeDumps(from);
  };
  await Promise.all([work(), work(), work()]);
});

test("there is a server of every version from 10 to 18, and a pg_dump of 15 to 18", () => {
  const headers = oldServers.map(({ major }) => {
    const plain = formatsOf(major).find(({ format }) => format === "plain")?.name ?? "";
    const text = readFileSync(dumps.get(dumpName(plain, major)) ?? "", "utf8");
    return [...text.matchAll(/^-- Dumped (?:from database|by pg_dump) version (\d+)/gm)].map(
      ([, version]) => Number(version),
    );
  });
  expect(headers).toEqual([
    ...[10, 11, 12, 13, 14].map((major) => [major, major % 2 === 0 ? 15 : 17]),
    ...[15, 16, 17, 18].map((major) => [major, major]),
  ]);
});

describe.each(oldServers)("the corpus of PostgreSQL $major", ({ major }) => {
  test.concurrent.each(formatsOf(major))(
    "as $name is what psql or pg_restore makes of it",
    async ({ name, format, roles, creates }) => {
      const database = dumpName(name, major);
      const theirs = `oracle_${database}`;
      const path = dumps.get(database) ?? "";
      const created = creates ? corpusName(major) : undefined;
      const complaints = await restoreWithPsql({
        ...{ server, database: theirs, dump: path, format, creates: created },
      });
      expect(complaints).toEqual([]);
      const { result } = await server.restore({ database, dump: path, roles });
      expect(result.result, result.text).toBe("restored");
      const found = differences(await readFacts(server, theirs), await readFacts(server, database));
      expect(unexpected(found, { database, roles, isArchive: format !== "plain" })).toEqual([]);
      for (const each of [theirs, database])
        await server.sql("postgres", `DROP DATABASE "${each}" WITH (FORCE)`);
    },
  );
});

describe.each(rejected)("$object of PostgreSQL $major", ({ major, object }) => {
  test.each(["plain", "archive"] as const)(
    "which psql or pg_restore rejects, fails as %s with its name",
    async (format) => {
      const database = dumpName(format === "plain" ? "old-plain" : "old-custom", major);
      const path = dumps.get(database) ?? "";
      const theirs = { server, database: `oracle_${database}`, dump: path, format };
      expect((await restoreWithPsql(theirs)).join("\n")).toMatch(/error/i);
      const { result } = await server.restore({ database, dump: path });
      expect(result.result).toBe("failed");
      expect(result.text).toContain(object);
      await server.expectNothingUnfinished();
    },
  );
});
