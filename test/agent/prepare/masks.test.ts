import { execa } from "execa";
import { randomBytes } from "node:crypto";
import { beforeAll, describe, expect, test } from "vitest";
import { mask, type Mask, type Masks } from "../../../model/masks/mask";
import { firstNames, lastNames } from "../../../model/masks/sample-names";
import { keySettings } from "../../../agent/prepare/masks/masking-session";
import { placeMasksProgram, runMasks, type MasksOutcome } from "../../support/masks/run-masks";
import { Reference } from "../../support/masks/reference";
import { docker, useServer } from "../../support/servers/server";

// Everything that PostgreSQL can be told to log is logged, so that what is not there was kept out.
const server = useServer({
  settings: ["log_statement=all", "log_min_duration_statement=0", "log_parameter_max_length=-1"],
});
const key = randomBytes(24).toString("hex");
const reference = new Reference(key);

beforeAll(async () => {
  await placeMasksProgram(server);
});

const listed = (columns: Record<string, Mask>): Masks => ({ classify: "listed only", columns });

async function apply(
  database: string,
  columns: Record<string, Mask>,
  otherKey = key,
): Promise<MasksOutcome> {
  return runMasks(server, { database, key: otherKey, masks: listed(columns) });
}

/** The problems and the error of masks that must not be applied. */
async function refused(database: string, columns: Record<string, Mask>): Promise<string[]> {
  const { problems = [], error, masked } = await apply(database, columns);
  expect(masked).toBeUndefined();
  return error === undefined ? problems.map(({ path, text }) => `${path}: ${text}`) : [error];
}

async function serverLog(): Promise<string> {
  const { all } = await execa("docker", ["logs", server.postgres], { all: true });
  return all;
}

async function rows<T>(database: string, query: string): Promise<T[]> {
  return JSON.parse(
    await server.sql(
      database,
      `SELECT coalesce(jsonb_agg(found_row), '[]') FROM (${query}) AS found_row`,
    ),
  ) as T[];
}

test("arrays keep their dimensions and lower bounds", async () => {
  await server.createDatabase(
    "arrays",
    `CREATE TABLE grid (id int PRIMARY KEY, a text[], d date[]);
     INSERT INTO grid VALUES (1, '[2:3][0:1]={{secret,NULL},{"se\\"c\\\\ret",other}}', '{{2026-01-01},{2026-02-01}}'), (2, '[5:6]={secret,x}', NULL), (3, '{secret}', '{}')`,
  );
  const { problems } = await apply("arrays", {
    "grid.a": mask.hash(),
    "grid.d": mask.dateShift(5),
  });
  expect(problems).toEqual([]);
  const found = await server.sql(
    "arrays",
    `SELECT array_dims(a), array_dims(d), a::text LIKE '%secret%', a[2][1] IS NULL,
            coalesce(a[2][0], a[5], a[1]) = (SELECT a[1] FROM grid WHERE id = 3) FROM grid ORDER BY id`,
  );
  expect(found).toBe("[2:3][0:1]|[1:2][1:1]|f|t|t\n[5:6]||f|t|t\n[1:1]||f|t|t");
});

describe("values", () => {
  const kindsSql = `
    CREATE EXTENSION citext;
    CREATE TYPE mood AS ENUM ('happy', 'sad', 'o''k');
    CREATE DOMAIN address AS text CHECK (VALUE ~ '^[^@]+@[^@]+$');
    CREATE TABLE before (
      id int PRIMARY KEY, t text UNIQUE, v varchar(20) UNIQUE, b char(40), c citext, name text, person text UNIQUE, phone varchar(20), e address,
      secret text, iban text UNIQUE, u uuid UNIQUE, i2 smallint UNIQUE, i4 int UNIQUE, i8 bigint UNIQUE, n numeric(10) UNIQUE,
      salary numeric(12, 2), f float8, score int, d date, ts timestamp, tz timestamptz, by_person date, j jsonb, a text[], ba bytea,
      mood mood, flag boolean, ip inet, made text, gone text, double int GENERATED ALWAYS AS (score * 2) STORED);
    INSERT INTO before SELECT n, 'text ' || n || ' ü€🙂', 'v' || n, 'b' || n, CASE WHEN n % 2 = 0 THEN 'Case' || n / 2 ELSE 'cASE' || (n + 1) / 2 END,
      'Name ' || n, 'Person ' || n, '+49 30 ' || n, n || '@home.example', 'secret number ' || n, 'DE' || lpad(n::text, 20, '0'),
      md5(n::text)::uuid, n - 100, (n - 100) * 1000, (n - 100)::bigint * 1000000007, n * 777, n * 10.01, n * 1.5, n, date '2020-01-01' + n,
      timestamp '2020-01-01 12:34:56' + n * interval '1 hour', timestamptz '2020-03-28 12:34:56+01' + n * interval '1 hour',
      date '2020-01-01' + n, '{"name": "x"}', ARRAY['a' || n, NULL, 'b'], decode(md5(n::text), 'hex'), 'happy', true, '10.0.0.1', 'made ' || n, 'gone'
    FROM generate_series(1, 300) n;
    INSERT INTO before (id) VALUES (1000);
    CREATE TABLE after AS TABLE before WITH NO DATA;`;
  const masks: Record<string, Mask> = {
    "before.t": mask.hash(),
    "before.v": mask.hash(),
    "before.b": mask.hash(),
    "before.c": mask.hash(),
    "before.name": mask.name(),
    "before.person": mask.name(),
    "before.phone": mask.phone(),
    "before.e": mask.email(),
    "before.secret": mask.partial({ first: 2, last: 3 }),
    "before.iban": mask.partial({ first: 2 }),
    "before.u": mask.hash(),
    "before.i2": mask.hash(),
    "before.i4": mask.hash(),
    "before.i8": mask.hash(),
    "before.n": mask.hash(),
    "before.salary": mask.noise(10),
    "before.f": mask.noise(10),
    "before.score": mask.noise(50),
    "before.d": mask.dateShift(30),
    "before.ts": mask.dateShift(30),
    "before.tz": mask.dateShift(30),
    "before.by_person": mask.dateShift(30, "name"),
    "before.j": mask.constant({ name: "it's" }),
    "before.a": mask.email("example.com"),
    "before.ba": mask.hash(),
    "before.mood": mask.hash(),
    "before.flag": mask.constant(false),
    "before.ip": mask.constant("192.0.2.1"),
    "before.made": mask.sql("upper(before.made) || double"),
    "before.gone": mask.null(),
  };
  interface Row {
    readonly id: number;
    readonly [column: string]: unknown;
  }
  let old: Row[];
  let now: Row[];
  const pairs = (column: string): [string, string][] =>
    old.map((row, i) => [String(row[column]), String(now[i]?.[column])]);
  let outcome: MasksOutcome;

  beforeAll(async () => {
    await server.createDatabase("kinds", kindsSql);
    old = await rows<Row>("kinds", selectKinds);
    outcome = await apply("kinds", masks);
    now = await rows<Row>("kinds", selectKinds);
  });
  const selectKinds = `SELECT id, t, v, b, c, name, person, phone, e, secret, iban, u, i2, i4, i8::text, n, salary, f, score, d, ts, tz,
    by_person, j, a, ba::text, mood, flag, ip, made, gone, double FROM before WHERE id < 1000 ORDER BY id`;

  test("are all masked, and counted without the NULLs", () => {
    expect(outcome).toMatchObject({
      problems: [],
      masked: { values: 300 * Object.keys(masks).length },
    });
    expect(now).toHaveLength(300);
    const same = (path: string): number =>
      pairs(path.replace("before.", "")).filter(([was, is]) => was === is).length;
    // A permutation may leave a few numbers where they are, noise may come to nothing; objects are looked at below.
    const mayStay = (path: string): number =>
      /\.(?:i2|n|j|mood|score)$/.test(path) ? 300 : path.endsWith("salary") ? 3 : 0;
    expect(Object.keys(masks).filter((path) => same(path) > mayStay(path))).toEqual([]);
  });

  test("are exactly what the key makes of them", () => {
    for (const [was, is] of pairs("t")) expect(is).toBe(reference.hash(was));
    for (const [was, is] of pairs("v")) expect(is).toBe(reference.hash(was, 20));
    for (const [was, is] of pairs("b")) expect(is.trimEnd()).toBe(reference.hash(was.trimEnd()));
    for (const [was, is] of pairs("c")) expect(is).toBe(reference.hash(was.toLowerCase()));
    for (const [was, is] of pairs("e")) expect(is).toBe(reference.email(was));
    for (const [was, is] of pairs("phone")) expect(is).toBe(reference.phone(was));
    for (const [was, is] of pairs("u")) expect(is).toBe(reference.uuid(was));
    for (const [was, is] of pairs("i2"))
      expect(is).toBe(String(reference.integer(BigInt(was), 15)));
    for (const [was, is] of pairs("i4"))
      expect(is).toBe(String(reference.integer(BigInt(was), 31)));
    for (const [was, is] of pairs("i8"))
      expect(is).toBe(String(reference.integer(BigInt(was), 63)));
    for (const [was, is] of pairs("n")) expect(is).toBe(String(reference.decimal(BigInt(was), 10)));
    for (const [i, row] of old.entries())
      expect(now[i]?.["a"]).toEqual([
        reference.email((row["a"] as string[])[0] ?? "", "example.com"),
        null,
        reference.email("b", "example.com"),
      ]);
  });

  test("that were alike but for capitals stay alike where the type takes them for the same", async () => {
    expect(
      await server.sql("kinds", "SELECT count(DISTINCT c), count(*) FROM before WHERE id < 1000"),
    ).toBe("150|300");
  });

  test("of people are made-up names, one of a kind where they must be", () => {
    for (const [, is] of pairs("name")) {
      const [first = "", last = ""] = is.split(" ");
      expect([firstNames.includes(first), lastNames.includes(last)]).toEqual([true, true]);
    }
    for (const [, is] of pairs("person"))
      expect(is).toMatch(/^[A-Z][a-z]+ [A-Z][a-z]+ [0-9a-f]{16}$/);
    expect(new Set(pairs("person").map(([, is]) => is)).size).toBe(300);
  });

  test("keep what was to be kept", () => {
    for (const [was, is] of pairs("secret"))
      expect(is).toBe(was.slice(0, 2) + "*".repeat(was.length - 5) + was.slice(-3));
    for (const [was, is] of pairs("iban")) expect(is).toBe(`DE${reference.hash(was)}`);
    for (const [was, is] of pairs("made"))
      expect(is).toBe(`${was.toUpperCase()}${2 * Number(was.replace("made ", ""))}`);
    expect(new Set(pairs("gone").map(([, is]) => is))).toEqual(new Set(["null"]));
    expect(new Set(now.map(({ j, flag, ip }) => JSON.stringify([j, flag, ip])))).toEqual(
      new Set(['[{"name":"it\'s"},false,"192.0.2.1"]']),
    );
  });

  test("that are dates move all by the same, or all of a person by the same", () => {
    const days = (column: string): number[] =>
      pairs(column).map(([was, is]) => (Date.parse(is) - Date.parse(was)) / 86_400_000);
    const shift = reference.shift(30);
    for (const column of ["d", "ts", "tz"]) expect(new Set(days(column))).toEqual(new Set([shift]));
    expect(days("by_person")).toEqual(pairs("name").map(([was]) => reference.shift(30, was)));
    expect(new Set(days("by_person")).size).toBeGreaterThan(30);
    expect(Math.max(...days("by_person").map(Math.abs))).toBeLessThanOrEqual(30);
    expect(days("by_person")).not.toContain(0);
  });

  test("that are numbers change by no more than they may, each by something else", () => {
    for (const [column, most] of [
      ["salary", 0.1],
      ["f", 0.1],
      ["score", 0.5],
    ] as const) {
      const shares = pairs(column).map(([was, is]) => Number(is) / Number(was) - 1);
      for (const [i, share] of shares.entries())
        expect(Math.abs(share)).toBeLessThanOrEqual(
          most + 0.5 / Number(pairs(column)[i]?.[0] ?? 1),
        );
      expect(new Set(shares).size).toBeGreaterThan(200);
    }
    for (const [, is] of pairs("salary")) expect(is).toMatch(/^\d+(\.\d{1,2})?$/);
  });

  test("that are generated follow the masked ones", () => {
    for (const { score, double } of now) expect(double).toBe(2 * Number(score));
  });

  test("of an enum spread over its labels, and a row of NULLs stays one", async () => {
    expect(new Set(now.map(({ mood }) => mood)).size).toBe(1);
    expect(
      await server.sql(
        "kinds",
        "SELECT num_nonnulls(t, c, e, u, i4, n, salary, d, j, a, ba, mood, flag, gone) FROM before WHERE id = 1000",
      ),
    ).toBe("0");
  });

  test("are the same again with the same key, and others with another", async () => {
    const fresh = async (database: string, otherKey: string): Promise<Row[]> => {
      await server.createDatabase(database, kindsSql);
      expect((await apply(database, masks, otherKey)).masked).toBeDefined();
      return rows<Row>(database, selectKinds);
    };
    expect(await fresh("kinds_again", key)).toEqual(now);
    const others = await fresh("kinds_elsewhere", randomBytes(24).toString("hex"));
    for (const column of ["t", "v", "c", "e", "u", "i4", "i8", "ba", "phone", "person"]) {
      const shared = others.filter((row, i) => row[column] === now[i]?.[column]);
      expect(shared).toEqual([]);
    }
  });
});

test.each([
  ["LATIN1", "Größe", reference.hash("Größe")],
  // What has no encoding is taken byte by byte, here as UTF-8.
  ["SQL_ASCII", "Größe", reference.hash("Größe")],
])("a database in %s has the values that others have", async (encoding, word, masked) => {
  const name = `in_${encoding.toLowerCase()}`;
  await server.createDatabase(name, "", `ENCODING '${encoding}' LC_COLLATE 'C' LC_CTYPE 'C'`);
  await server.sql(
    name,
    `SET client_encoding = 'UTF8'; CREATE TABLE t AS SELECT '${word}'::text AS word, ARRAY['${word}'] AS words`,
  );
  const { error, masked: report } = await apply(name, {
    "t.word": mask.hash(),
    "t.words": mask.partial({ first: 1 }),
  });
  expect(error).toBeUndefined();
  expect(report?.values).toBe(2);
  const stars = encoding === "SQL_ASCII" ? 6 : 4;
  expect(await server.sql(name, "SELECT word, words[1] FROM t")).toBe(
    `${masked}|G${"*".repeat(stars)}`,
  );
});

describe("a database", () => {
  /** The canary is put together by PostgreSQL, because the log has all statements. */
  const canary = "CANARY";
  const bird = "chr(67) || 'ANARY' ||";
  const shopSql = `
    CREATE SCHEMA "Other Schema";
    CREATE DOMAIN login AS varchar(40);
    CREATE TABLE users (login login PRIMARY KEY, email text NOT NULL, bio text, scan oid, born date, badge int UNIQUE, old text,
      mail_host text GENERATED ALWAYS AS (split_part(email, '@', 2)) STORED);
    ALTER TABLE users ALTER bio SET STORAGE EXTERNAL, ALTER email SET STATISTICS 500;
    COMMENT ON COLUMN users.email IS 'where mail goes';
    CREATE UNIQUE INDEX users_email_key ON users (lower(email));
    CREATE INDEX ON users USING gin (to_tsvector('simple', bio));
    CREATE INDEX users_born ON users (born) INCLUDE (email);
    CREATE INDEX users_late ON users (email) WHERE badge > 10;
    CREATE STATISTICS users_words (mcv) ON email, born FROM users;
    ALTER TABLE users CLUSTER ON users_born;
    ALTER TABLE users REPLICA IDENTITY USING INDEX users_pkey;
    INSERT INTO users SELECT ${bird} n, ${bird} n || '@home.example', repeat(${bird} n || ' ', 1000), NULL, date '1980-01-01' + n, n, ${bird} 'old'
    FROM generate_series(1, 500) n;
    UPDATE users SET scan = lo_from_bytea(0, convert_to(repeat(${bird} ' on paper ', 5), 'UTF8')) WHERE badge < 4;
    ALTER TABLE users DROP COLUMN old;
    CREATE TABLE "Other Schema"."Log Ins" (id bigint GENERATED ALWAYS AS IDENTITY, "User" login, badge bigint,
      at timestamptz NOT NULL, note text,
      CONSTRAINT who FOREIGN KEY ("User") REFERENCES users DEFERRABLE INITIALLY DEFERRED,
      CONSTRAINT badge FOREIGN KEY (badge) REFERENCES users (badge) ON DELETE SET NULL) PARTITION BY RANGE (at);
    COMMENT ON CONSTRAINT who ON "Other Schema"."Log Ins" IS 'it''s a user';
    CREATE TABLE "Other Schema".early PARTITION OF "Other Schema"."Log Ins" FOR VALUES FROM ('2026-01-01') TO ('2026-01-15');
    CREATE TABLE "Other Schema".late PARTITION OF "Other Schema"."Log Ins" FOR VALUES FROM ('2026-01-15') TO ('2026-03-01');
    CREATE UNIQUE INDEX ON "Other Schema"."Log Ins" (id, at);
    INSERT INTO "Other Schema"."Log Ins" ("User", badge, at, note)
    SELECT ${bird} 1 + n % 500, 1 + n % 500, timestamptz '2026-01-10 12:00Z' + n * interval '1 minute', ${bird} n FROM generate_series(1, 3000) n;
    CREATE TABLE pets (name text, keeper login REFERENCES users ON UPDATE CASCADE, parent int);
    CREATE TABLE dogs (breed text) INHERITS (pets);
    INSERT INTO pets SELECT ${bird} n, ${bird} n FROM generate_series(1, 20) n;
    INSERT INTO dogs SELECT ${bird} n, ${bird} n, NULL, 'poodle' FROM generate_series(1, 20) n;
    CREATE TABLE fired (what text);
    CREATE FUNCTION fire() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO fired VALUES (TG_TABLE_NAME || ' ' || TG_OP); RETURN NEW; END $$;
    CREATE TRIGGER fire BEFORE INSERT OR UPDATE ON users FOR EACH ROW EXECUTE FUNCTION fire();
    CREATE TRIGGER fire_always BEFORE INSERT OR UPDATE ON users FOR EACH ROW EXECUTE FUNCTION fire();
    CREATE TRIGGER fire_truncate AFTER TRUNCATE ON users EXECUTE FUNCTION fire();
    ALTER TABLE users ENABLE ALWAYS TRIGGER fire_always;
    CREATE TRIGGER fire_off BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION fire();
    ALTER TABLE users DISABLE TRIGGER fire_off;
    CREATE RULE elsewhere AS ON INSERT TO pets DO INSTEAD NOTHING;
    CREATE VIEW adults AS SELECT login, email FROM users WHERE born < '2000-01-01';
    CREATE MATERIALIZED VIEW hosts AS SELECT mail_host, count(*), min(email) AS first FROM users GROUP BY mail_host;
    CREATE MATERIALIZED VIEW first_hosts AS SELECT min(first) AS first FROM hosts;
    CREATE MATERIALIZED VIEW later AS SELECT * FROM hosts WITH NO DATA;
    ALTER TABLE users ENABLE ROW LEVEL SECURITY;
    ALTER TABLE users FORCE ROW LEVEL SECURITY;
    CREATE TABLE notes (id int, word text);
    INSERT INTO notes SELECT n, ${bird} n FROM generate_series(1, 100) n;
    UPDATE notes SET word = 'plain';
    CREATE EXTENSION amcheck;
    ANALYZE;`;
  const masks: Record<string, Mask> = {
    "users.login": mask.hash(),
    "users.email": mask.email(),
    "users.bio": mask.constant("no bio"),
    "users.scan": mask.null(),
    "users.born": mask.dateShift(10, "login"),
    "users.badge": mask.hash(),
    '"Other Schema"."Log Ins".note': mask.null(),
    '"Other Schema"."Log Ins".at': mask.dateShift(5),
    "pets.name": mask.name(),
  };
  let outcome: MasksOutcome;
  let schema: string;
  const schemaDump = async (): Promise<string> =>
    (
      await server.dump("shop", "--schema-only", "--no-owner", "--no-acl", "--restrict-key=x")
    ).toString();
  /** Files of the data folder with a canary in them, but for the write-ahead log. */
  const filesWithCanaries = async (): Promise<string[]> => {
    await server.sql("postgres", "CHECKPOINT");
    const script = `cd /var/lib/postgresql/data/pgdata && grep -rlaF --exclude-dir=pg_wal ${canary} . | sort`;
    const { stdout } = await server.run(["bash", "-c", script]);
    return stdout.split("\n").filter((line) => line !== "");
  };

  beforeAll(async () => {
    await server.createDatabase("shop", shopSql);
    schema = await schemaDump();
    expect((await filesWithCanaries()).length).toBeGreaterThan(10);
    outcome = await apply("shop", masks);
  });

  test("has all its rows, and a report of what was masked", async () => {
    expect(outcome).not.toHaveProperty("error");
    expect(outcome.problems).toEqual([]);
    expect(outcome.masked).toMatchObject({
      values: 500 * 5 + 3 + 3 * 3000 + 3000 + 80,
      largeObjectsRemoved: 3,
    });
    expect(
      await server.sql(
        "shop",
        `SELECT (SELECT count(*) FROM users), (SELECT count(*) FROM "Other Schema"."Log Ins"), (SELECT count(*) FROM ONLY pets), (SELECT count(*) FROM dogs)`,
      ),
    ).toBe("500|3000|20|20");
  });

  test("keeps its definition to the letter", async () => {
    expect(await schemaDump()).toBe(schema);
    expect(
      await server.sql("shop", "SELECT count(*) FROM pg_constraint WHERE NOT convalidated"),
    ).toBe("0");
    expect(
      await server.sql(
        "shop",
        "SELECT count(*) FROM pg_index WHERE NOT (indisvalid AND indisready AND indislive)",
      ),
    ).toBe("0");
    expect(
      await server.sql("shop", "SELECT count(*) FROM pg_class WHERE relname ~ 'stagecraft'"),
    ).toBe("0");
  });

  test("has indexes that hold every row", async () => {
    const checked = await server.sql(
      "shop",
      `SELECT count(bt_index_parent_check(c.oid, true, true)::text) FROM pg_class c JOIN pg_am a ON a.oid = c.relam
       JOIN pg_namespace n ON n.oid = relnamespace
       WHERE relkind = 'i' AND amname = 'btree' AND nspname IN ('public', 'Other Schema')`,
    );
    expect(Number(checked)).toBe(7);
  });

  test("has foreign keys that hold, on masked columns of its own and of those that refer to them", async () => {
    const told = await server.sql(
      "shop",
      `SELECT count(*), count(u.login), count(*) FILTER (WHERE u.badge = l.badge) FROM "Other Schema"."Log Ins" l LEFT JOIN users u ON u.login = l."User"`,
    );
    expect(told).toBe("3000|3000|3000");
    expect(
      await server.sql("shop", "SELECT count(*) FROM pets p JOIN users u ON u.login = p.keeper"),
    ).toBe("40");
    expect(outcome.plan?.foreignKeys.map(({ name }) => name).sort()).toEqual([
      "badge",
      "pets_keeper_fkey",
      "who",
    ]);
    expect(await server.sql("shop", "SELECT min(login) FROM users")).toMatch(/^[0-9a-f]{32}$/);
  });

  test("has rows in the partitions that their dates belong to", async () => {
    const moved = await server.sql(
      "shop",
      `SELECT min(at) - timestamptz '2026-01-10 12:01Z' FROM "Other Schema"."Log Ins"`,
    );
    expect(moved).toBe(`${reference.shift(5)} day${reference.shift(5) === 1 ? "" : "s"}`);
  });

  test("fired no trigger and no rule, and has them as they were", async () => {
    expect(await server.sql("shop", "SELECT count(*) FROM fired")).toBe("0");
    expect(
      await server.sql(
        "shop",
        "SELECT string_agg(tgname::text || tgenabled::text, ' ' ORDER BY tgname) FROM pg_trigger WHERE tgname ~ 'fire'",
      ),
    ).toBe("fireO fire_alwaysA fire_offD fire_truncateO");
  });

  test("has generated columns and materialized views that follow", async () => {
    expect(await server.sql("shop", "SELECT mail_host, count FROM hosts")).toBe(
      "example.invalid|500",
    );
    expect(await server.sql("shop", "SELECT first FROM first_hosts")).toMatch(/@example\.invalid$/);
    expect(
      await server.sql("shop", "SELECT relispopulated FROM pg_class WHERE relname = 'later'"),
    ).toBe("f");
  });

  test("has no canary left: in no file, no dump, no statistics and no log", async () => {
    expect(await filesWithCanaries()).toEqual([]);
    expect((await server.dump("shop")).toString()).not.toContain(canary);
    await server.sql("shop", "ANALYZE");
    expect(
      await server.sql(
        "shop",
        `SELECT count(*) FROM pg_stats WHERE most_common_vals::text ~ '${canary}' OR histogram_bounds::text ~ '${canary}'`,
      ),
    ).toBe("0");
    const log = await serverLog();
    expect(log).toContain("CREATE MATERIALIZED VIEW first_hosts");
    expect(log).not.toContain(`${canary}1`);
  });
});

describe("the key", () => {
  test("is in no log, whatever is logged, and in no list of statements", async () => {
    await server.createDatabase(
      "keys",
      "CREATE TABLE t AS SELECT n, 'x' || n AS c FROM generate_series(1, 50000) n",
    );
    let isRunning = true;
    const seen: string[] = [];
    const watch = async (): Promise<void> => {
      while (isRunning) {
        seen.push(
          await server.sql("postgres", "SELECT query FROM pg_stat_activity WHERE datname = 'keys'"),
        );
      }
    };
    const [outcome] = await Promise.all([
      apply("keys", { "t.c": mask.hash() }).finally(() => {
        isRunning = false;
      }),
      watch(),
    ]);
    expect(outcome.masked?.values).toBe(50_000);
    const log = await serverLog();
    const secrets = [key, ...Object.values(keySettings(key))];
    for (const place of [log, seen.join("\n")])
      for (const secret of secrets) expect(place.includes(secret)).toBe(false);
    expect(seen.join("\n")).toContain("stagecraft_masked");
    expect(log).not.toContain("stagecraft_masked");
    expect(log).toContain("CREATE TABLE t AS SELECT n");
    const left =
      "SELECT count(*) FROM pg_class WHERE relname ~ 'stagecraft' UNION ALL SELECT count(*) FROM pg_proc WHERE proname ~ 'stagecraft' UNION ALL SELECT count(*) FROM pg_db_role_setting WHERE setconfig::text ~ 'mask'";
    expect(await server.sql("keys", left)).toBe("0\n0\n0");
    expect(await docker("inspect", server.agentContainer)).not.toContain(key);
  });
});

describe("a mask that does not work out", () => {
  const secret = "chr(83) || 'ECRETIVE' ||";
  beforeAll(async () => {
    await server.createDatabase(
      "bad",
      `CREATE DOMAIN even AS int CHECK (VALUE % 2 = 0);
       CREATE TABLE months (id int PRIMARY KEY, month date CONSTRAINT first_of_month CHECK (month = date_trunc('month', month)),
         word text CONSTRAINT word_key UNIQUE, e even);
       INSERT INTO months SELECT n, date '2020-01-01' + n * interval '1 month', ${secret} n, 2 * n FROM generate_series(1, 50) n;
       CREATE TABLE refs (word text CONSTRAINT refs_word REFERENCES months (word));
       INSERT INTO refs SELECT word FROM months;`,
    );
  });

  test("is refused with the column, before anything is changed", async () => {
    expect(
      await refused("bad", {
        "months.word": mask.sql("no_such(word)"),
        "refs.word": mask.sql("word; DROP TABLE refs"),
        "months.e": mask.constant(3),
        "months.month": mask.sql("word::date"),
      }),
    ).toEqual([
      expect.stringMatching(
        /^months\.month: PostgreSQL rejects sql: 22007 {2}invalid input syntax for type date…$/,
      ),
      expect.stringMatching(
        /^months\.word: PostgreSQL rejects sql: 42883 {2}function no_such\(text\) does not exist$/,
      ),
      expect.stringMatching(/^months\.e: PostgreSQL rejects constant: 23514 .*"even_check"$/),
      expect.stringMatching(/^refs\.word: PostgreSQL rejects sql: 42601 /),
    ]);
    expect(await server.sql("bad", "SELECT count(*) FROM refs JOIN months USING (word)")).toBe(
      "50",
    );
  });

  test.each<[Record<string, Mask>, RegExp]>([
    [
      { "months.month": mask.dateShift(3) },
      /^masking months: 23514 {2}check constraint "first_of_month" of relation "months" is violated by some row; a masked value violates that check/,
    ],
    [
      { "months.word": mask.sql("'same'"), "refs.word": mask.sql("'same'") },
      /^masking months: 23505 {2}could not create unique index "word_key"; two masked values are equal/,
    ],
    [
      { "months.word": mask.sql("'a' || word"), "refs.word": mask.sql("'b' || word") },
      /^the foreign key refs_word of refs does not hold after masking: 23503 .*; use the same mask for all columns of that foreign key$/,
    ],
  ])("stops with the constraint and the fix: %j", async (columns, text) => {
    await server.sql(
      "postgres",
      "DROP DATABASE IF EXISTS bad_copy; CREATE DATABASE bad_copy TEMPLATE bad",
    );
    const [told = ""] = await refused("bad_copy", columns);
    expect(told).toMatch(text);
    expect(told).not.toContain("SECRETIVE");
    expect(await serverLog()).not.toContain("SECRETIVE");
  });

  test("tells nothing that a function of the application says about a value", async () => {
    await server.sql(
      "bad",
      "CREATE FUNCTION refuse(word text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'not %', word; END $$",
    );
    const told = await refused("bad", {
      "months.word": mask.sql("refuse(word)"),
      "refs.word": mask.sql("word"),
    });
    expect(told).toEqual([
      "months.word: PostgreSQL rejects sql: P0001  a message that may contain values and is not shown",
    ]);
  });

  test("leaves a strict database alone that has a column nobody spoke of", async () => {
    const { problems, masked } = await runMasks(server, {
      database: "bad",
      key,
      masks: { classify: "strict", columns: { "months.*": mask.public() } },
    });
    expect(masked).toBeUndefined();
    expect(problems).toEqual([
      { path: "refs.word", text: "is not classified (text); add a mask, or mask.public()" },
    ]);
  });
});
