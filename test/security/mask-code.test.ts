import { createHash } from "node:crypto";
import { beforeAll, describe, expect, test } from "vitest";
import { keySettings } from "../../agent/prepare/masks/masking-session";
import { mask, type Mask } from "../../model/masks/mask";
import type { Preparation } from "../../model/restore/preparation";
import { rawValue, suspendedSql, spiedDatabase, spyingSql } from "../support/security/spying";
import { useServer } from "../support/servers/server";

const server = useServer();
const database = "shop";
let asInTheDump = "";

const columns: Record<string, Mask> = {
  "users.email": mask.email(),
  "users.address": mask.email(),
  "users.more": mask.email(),
  "base.email": mask.email(),
  "parts.email": mask.email(),
};
const masks = { classify: "listed only" as const, columns };

let restores = 0;
async function restore(dump: Buffer, prepare: Preparation) {
  const restoreId = `spied-${++restores}`;
  return server.restore({ database, dump, restoreId, kind: "staging", prepare });
}

const upgrade = (text: string): Preparation["upgrades"] => ({
  rules: { gaps: "refused", baseline: "1" },
  scripts: [
    {
      ...{ package: "app", from: "1", to: "2", name: "upgrade-1-2.sql", text },
      sha256: createHash("sha256").update(text).digest("hex"),
    },
  ],
});

/** Raw values and the key of the masks in the restored database. */
async function found(): Promise<string[]> {
  const key = (await server.output(["cat", "/var/lib/stagecraft/mask-key"])).toString();
  const dump = (await server.dump(database, "-Fp")).toString();
  const blobs = await server.sql(
    database,
    "SELECT string_agg(encode(lo_get(oid), 'escape'), ' ') FROM pg_largeobject_metadata",
  );
  const statistics = await server.sql(
    database,
    "SELECT coalesce(string_agg(concat_ws(' ', most_common_vals, histogram_bounds), ' '), '') FROM pg_stats WHERE schemaname = 'public'",
  );
  const all = [dump, blobs, statistics].join("\n");
  return [rawValue, key, ...Object.values(keySettings(key))].filter((text) => all.includes(text));
}

beforeAll(async () => {
  expect(await server.makeRoles({ database })).toMatchObject({ status: 0 });
  await server.createDatabase(spiedDatabase, spyingSql);
  asInTheDump = await server.sql(spiedDatabase, suspendedSql);
});

describe("code of the data sees no value that is masked, and no key", () => {
  test.each(["-Fp", "-Fc", "-Ft"])("when it is restored: pg_dump %s", async (format) => {
    const { result } = await restore(await server.dump(spiedDatabase, format), { masks });
    expect(result.result, result.text).toBe("restored");
    expect(await found()).toEqual([]);
    expect(result.prepared?.masks?.values).toBe(120);
    // It ran, with masked values.
    const noted = "SELECT string_agg(DISTINCT who, '' ORDER BY who) FROM noted";
    expect(await server.sql(database, noted)).toContain("by_check by_domain");
    expect(
      await server.sql(
        database,
        "SELECT count(DISTINCT email), min(made), min(host), min(address) = min(email) FROM users",
      ),
    ).toBe("20|41|example.invalid|t");
    await server.sql(database, "DROP TABLE noted");
    expect(await server.sql(database, suspendedSql)).toBe(asInTheDump);
  });

  test("when upgrade scripts add, rename and fill columns", async () => {
    const text = `ALTER TABLE public.users RENAME email TO mail;
      ALTER TABLE public.users ADD copy text, ADD CHECK (public.by_check(copy));
      ALTER TABLE public.users NO FORCE ROW LEVEL SECURITY;
      UPDATE public.users SET copy = mail;
      ALTER TABLE public.users FORCE ROW LEVEL SECURITY;
      CREATE INDEX ON public.users (public.by_index(copy));`;
    const { result } = await restore(await server.dump(spiedDatabase, "-Fc"), {
      masks: {
        ...masks,
        columns: { ...columns, "users.mail": mask.email(), "users.copy": mask.hash() },
      },
      upgrades: upgrade(text),
    });
    expect(result.result, result.text).toBe("restored");
    expect(await found()).toEqual([]);
    const users =
      "SELECT count(*) FROM users WHERE mail ~ '@example.invalid$' AND copy ~ '^[0-9a-f]{32}$'";
    expect(await server.sql(database, users)).toBe("20");
    expect(result.prepared?.masks?.columns.map(({ column }) => column)).toEqual(
      expect.arrayContaining(["users.email", "users.copy"]),
    );
  });
});

describe("what would let it see one is refused, with a fix, and the live database stays", () => {
  const refused = async (sql: string, prepare: Preparation, text: RegExp): Promise<void> => {
    const name = `refused_${++restores}`;
    await server.createDatabase(name, sql);
    const before = await server.sql(
      "postgres",
      "SELECT oid FROM pg_database WHERE datname = 'shop'",
    );
    for (const format of ["-Fp", "-Fc"]) {
      const { result } = await restore(await server.dump(name, format), prepare);
      expect(result.result).toBe("failed");
      expect(result.text).toMatch(text);
    }
    expect(await server.sql("postgres", "SELECT oid FROM pg_database WHERE datname = 'shop'")).toBe(
      before,
    );
    await server.expectNothingUnfinished();
  };
  const peek = `CREATE FUNCTION public.peek(x text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT x';`;
  const users = `CREATE TABLE public.users (id int, email text); INSERT INTO public.users VALUES (1, '${rawValue}@x');`;
  const email = { classify: "listed only" as const, columns: { "users.email": mask.hash() } };

  test("a partition key", async () => {
    await refused(
      `${peek} CREATE TABLE public.users (id int, email text) PARTITION BY LIST (public.peek(email));
       CREATE TABLE public.part PARTITION OF public.users DEFAULT; INSERT INTO public.users VALUES (1, '${rawValue}');`,
      { masks: email },
      /public\.users is partitioned by public\.peek\(text\), a function of the data.*; partition it by columns/,
    );
  });

  test("an expression of a mask that calls a function of the data", async () => {
    await refused(
      peek + users,
      { masks: { ...email, columns: { "users.email": mask.sql("peek(email)") } } },
      /users\.email: PostgreSQL rejects sql: 42501 {2}permission denied for function peek; .*write it with functions of PostgreSQL or of an extension/,
    );
  });

  test("a cast", async () => {
    await refused(
      `CREATE TYPE public.mood AS ENUM ('happy', 'sad'); CREATE TABLE public.users (id int, email public.mood); INSERT INTO public.users VALUES (1, 'sad');
       CREATE FUNCTION public.peek(x public.mood) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT 'x' $$;
       CREATE CAST (public.mood AS text) WITH FUNCTION public.peek(public.mood) AS ASSIGNMENT;`,
      { masks: email },
      /users\.email: PostgreSQL rejects hash: 42501 {2}permission denied for function peek; /,
    );
  });

  test("a column that a script renames and that only its new name's mask names", async () => {
    await refused(
      users,
      {
        masks: { ...email, columns: { "users.mail": mask.hash() } },
        upgrades: upgrade("ALTER TABLE public.users RENAME email TO mail;"),
      },
      /users\.mail: is users\.email in the dump.*; add a line for users\.email/,
    );
  });

  test("a column of the dump that strict masks do not name, although a script drops it", async () => {
    await refused(
      users,
      {
        masks: { classify: "strict", columns: { "users.id": mask.public() } },
        upgrades: upgrade("ALTER TABLE public.users DROP email;"),
      },
      /users\.email: is not classified \(text\)/,
    );
  });
});

test("rows after code, in a dump that pg_dump did not write, are refused", async () => {
  const copy = (table: string): string => `COPY public.${table} FROM stdin;\n1\t${rawValue}\n\\.\n`;
  const text = `--\n-- PostgreSQL database dump\n--\nCREATE TABLE public.users (id int, email text);\n${copy("users")}
CREATE TABLE public.more (id int, email text);\n${copy("more")}--\n-- PostgreSQL database dump complete\n--\n`;
  const { result } = await restore(Buffer.from(text), {
    masks: { classify: "listed only", columns: { "users.email": mask.hash() } },
  });
  expect(result.text).toMatch(/has rows of public\.more \(line \d+\) after .* began; .*pg_dump/);
});
