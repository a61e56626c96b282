import { describe, expect, test } from "vitest";
import { parseColumnName, columnText } from "../../../../model/masks/column-name";
import type { MaskCatalogue } from "../../../../model/masks/catalogue";
import {
  mask,
  maskKeySchema,
  masksSchema,
  type Mask,
  type Masks,
} from "../../../../model/masks/mask";
import { describeMaskPlan, planMasks } from "../../../../model/masks/plan";
import { masksLine } from "../../../../model/masks/report";
import { rewriteSql } from "../../../../model/masks/statements";
import { catalogue, column, foreignKey, table, unique } from "../../../support/masks/catalogue";

const listed = (columns: Record<string, Mask>): Masks => ({ classify: "listed only", columns });
const problems = (facts: MaskCatalogue, columns: Record<string, Mask>): string[] =>
  planMasks(facts, listed(columns)).problems.map(({ path, text }) => `${path}: ${text}`);
/** What is wrong with a mask on a column of this type, `t.c`. */
const misfit = (type: string, one: Mask, more: Parameters<typeof column>[2] = {}): string[] =>
  problems(catalogue([table(1, "t", [column("c", type, more)])]), { "t.c": one });

const shop = catalogue(
  [
    table(
      1,
      "users",
      [
        column("id", "int4", { notNull: true }),
        column("login", "varchar:20", { notNull: true }),
        column("email"),
        column("shout", "text", { isGenerated: true }),
      ],
      { uniques: [unique("id"), unique("login")], primaryKey: ["id"] },
    ),
    table(2, "orders", [
      column("id", "int8"),
      column("login", "varchar:12"),
      column("placed", "date"),
    ]),
    table(3, "entries", [column("Old Row", "jsonb")], { schema: "audit" }),
    table(4, "big", [column("email")], { kind: "view" }),
  ],
  { foreignKeys: [foreignKey("orders_login_fkey", [2, "login"], [1, "login"])] },
);

describe("the name of a column", () => {
  test.each([
    ["users.email", { schema: "public", table: "users", column: "email" }],
    ["Users.EMAIL", { schema: "public", table: "users", column: "email" }],
    ["audit.entries.before", { schema: "audit", table: "entries", column: "before" }],
    ['"Time Off"."a ""b"""', { schema: "public", table: "Time Off", column: 'a "b"' }],
    ["holidays.*", { schema: "public", table: "holidays", column: "*" }],
    ['"*".größe', { schema: "public", table: "*", column: "größe" }],
  ])("is read as SQL writes it: %s", (text, name) => {
    expect(parseColumnName(text)).toEqual(name);
    expect(parseColumnName(columnText(name))).toEqual(name);
  });

  test.each([
    "",
    "email",
    "a.b.c.d",
    "users.",
    ".email",
    "users email",
    "*.email",
    'users."',
    "1.a",
  ])("is none: %s", (text) => {
    expect(parseColumnName(text)).toBeUndefined();
  });
});

describe("masks", () => {
  test("are JSON that the agent checks again", () => {
    const masks: Masks = {
      classify: "strict",
      columns: {
        "a.a": mask.public(),
        "a.b": mask.null(),
        "a.c": mask.constant({ language: ["en", null, 1] }),
        "a.d": mask.hash(),
        "a.e": mask.email("example.com"),
        "a.f": mask.name(),
        "a.g": mask.phone(),
        "a.h": mask.partial({ last: 4 }),
        "a.i": mask.dateShift(30, "id"),
        "a.j": mask.noise(0.5),
        "a.k": mask.sql("lower(k)"),
      },
    };
    expect(masksSchema.parse(JSON.parse(JSON.stringify(masks)))).toEqual(masks);
  });

  test.each([
    [{ mask: "emial" }],
    [{ mask: "email", domain: "nobody@example.com" }],
    [{ mask: "date shift", days: 0 }],
    [{ mask: "noise", percent: 200 }],
    [{ mask: "partial", first: -1 }],
    [{ mask: "sql", sql: "  " }],
    [{ mask: "hash", length: 3 }],
  ])("are refused: %j", (one) => {
    const parsed = masksSchema.safeParse({ classify: "strict", columns: { "a.b": one } });
    expect(parsed.success).toBe(false);
  });

  test("need a key that cannot be guessed", () => {
    expect(maskKeySchema.safeParse("short").success).toBe(false);
    expect(maskKeySchema.safeParse("x".repeat(32)).success).toBe(true);
  });
});

describe("a mask is a problem", () => {
  test("on a table or column that is not there, with the nearest one", () => {
    expect(
      problems(shop, {
        "user.email": mask.email(),
        "users.emial": mask.email(),
        "entries.before": mask.null(),
        "orders.xyz": mask.null(),
        "no column": mask.null(),
      }),
    ).toEqual([
      "user.email: the table does not exist; did you mean users.email?",
      "users.emial: the column does not exist; did you mean users.email?",
      "entries.before: the table does not exist; did you mean audit.entries.before?",
      "orders.xyz: the column does not exist; the table has id, login, placed",
      'no column: must be a column in SQL notation: users.email, audit.entries.before, "Time Off"."Reason"',
    ]);
  });

  test("on a view, on a generated column, twice on a column, on all columns of a table", () => {
    expect(
      problems(shop, {
        "big.email": mask.email(),
        "users.shout": mask.hash(),
        "users.email": mask.email(),
        '"users"."email"': mask.hash(),
        "orders.*": mask.null(),
      }),
    ).toEqual([
      "big.email: big is a view, whose tables are masked; remove this line",
      '"users"."email": is the same column as users.email; remove one of them',
      "orders.*: only public can be used for all columns of a table; list the columns for null",
      "users.shout: is a generated column; mask the columns it depends on, and remove this line",
    ]);
  });

  test.each([
    [
      "int4",
      mask.email(),
      "email does not support int4; use one of hash, noise, null, constant, sql, public",
    ],
    [
      "date",
      mask.hash(),
      "hash does not support date; use one of date shift, null, constant, sql, public",
    ],
    ["jsonb", mask.name(), "name does not support jsonb; use one of null, constant, sql, public"],
    [
      "xml",
      mask.partial({}),
      "partial does not support xml; use one of null, constant, sql, public",
    ],
    [
      "text",
      mask.noise(5),
      "noise does not support text; use one of hash, email, name, phone, partial, null, constant, sql, public",
    ],
    [
      "varchar:10",
      mask.email(),
      "email needs 21 characters, but varchar(10) has only 10; use hash, or a shorter domain",
    ],
    ["varchar:7", mask.phone(), "phone needs 8 characters, but varchar(7) has only 7; use hash"],
    ["varchar:3", mask.constant("long"), 'constant "long" is longer than varchar(3)'],
    ["int2", mask.constant(40_000), "constant must be a whole number within int2, got 40000"],
    ["int4", mask.constant("1.5"), 'constant must be a whole number within int4, got "1.5"'],
    ["bool", mask.constant("yes"), 'constant must be true or false, got "yes"'],
    ["text", mask.constant({ a: 1 }), 'constant must be a single value for text, got {"a":1}'],
    ["text", mask.constant(null), "constant cannot be null; use mask.null()"],
    [
      "numeric",
      mask.hash(),
      "hash supports whole numbers of up to 18 digits, not numeric; use noise, constant or sql",
    ],
    [
      "text",
      mask.dateShift(3, "x"),
      "date shift does not support text; use one of hash, email, name, phone, partial, null, constant, sql, public",
    ],
  ])("on %s: %j", (type, one, text) => {
    const [first = ""] = misfit(type, one);
    expect(first).toBe(`t.c: ${text}`);
  });

  test("when it cannot be NULL, is no value of an enum, or a list where there is none", () => {
    expect(misfit("text", mask.null(), { notNull: true })).toEqual([
      "t.c: null is not allowed, the column is NOT NULL; use constant or another mask",
    ]);
    expect(misfit("mood", mask.constant("hppy"), { labels: ["happy", "sad"] })).toEqual([
      't.c: constant "hppy" is not a value of mood; use one of happy, sad',
    ]);
    expect(misfit("text", mask.constant(3), { isArray: true, type: "text[]" })).toEqual([
      "t.c: constant must be a list for text[], got 3",
    ]);
  });

  test("when it names a column by which there is none", () => {
    expect(misfit("date", mask.dateShift(30, "person"))).toEqual([
      't.c: by: "person" is not a column of t; it has c',
    ]);
  });

  test.each([
    [
      "text",
      mask.constant("x"),
      "constant gives all rows the same value, which violates c_key; use hash",
    ],
    [
      "int4",
      mask.noise(3),
      "noise can make different values equal, which violates c_key; use hash or sql",
    ],
    [
      "date",
      mask.dateShift(3, "c"),
      "date shift can make different values equal, which violates c_key; use sql or public",
    ],
    [
      "varchar:6",
      mask.hash(),
      "hash has too few values in varchar(6) for 5000 rows with unique values; use sql or public",
    ],
    [
      "text",
      mask.phone(),
      "phone has too few values in text for 5000 rows with unique values; use sql or public",
    ],
    ["varchar:15", mask.name(), "name needs 20 characters, but varchar(15) has only 15; use hash"],
  ])("when a unique index would break: %s, %j", (type, one, text) => {
    const facts = catalogue([
      table(1, "t", [column("c", type)], { uniques: [unique("c")], rows: 5000 }),
    ]);
    expect(problems(facts, { "t.c": one })).toEqual([`t.c: ${text}`]);
  });

  test("when the columns of a foreign key would part", () => {
    const told = (columns: Record<string, Mask>): string[] => problems(shop, columns);
    expect(
      told({ "users.login": mask.hash(), "orders.login": mask.partial({ first: 1 }) }),
    ).toEqual([
      "users.login: is hash and orders.login is partial, first 1 and last 0 kept, but the foreign key orders_login_fkey needs equal values; use the same mask for both",
    ]);
    expect(told({ "users.login": mask.hash(), "orders.login": mask.public() })).toEqual([
      "orders.login: is public and users.login is hash, but the foreign key orders_login_fkey needs equal values; remove one of the two lines to use the other for both",
    ]);
    expect(told({ "orders.login": mask.constant("x") })).toEqual([
      "orders.login: constant gives different results for equal values, but the foreign key orders_login_fkey needs the same values in users.login; use hash",
    ]);
    expect(told({ "users.login": mask.sql("reverse(login)") })).toEqual([
      "users.login: the foreign key orders_login_fkey needs the same values in orders.login; add an expression for each of them",
    ]);
    expect(told({ "orders.login": mask.null() })).toEqual([]);
  });

  test("on a partition: its table's column is the one to name", () => {
    const facts = catalogue([
      table(1, "hours", [column("note")], { kind: "partitioned", partitionKey: ["day"] }),
      table(2, "hours_2026", [column("note")], { parents: [1] }),
    ]);
    expect(problems(facts, { "hours_2026.note": mask.null() })).toEqual([
      "hours_2026.note: the column is inherited from hours; write hours.note, which includes partitions and inherited tables",
    ]);
  });
});

describe("strict classification", () => {
  const strict = (columns: Record<string, Mask>): string[] =>
    planMasks(shop, { classify: "strict", columns }).problems.map(
      ({ path, text }) => `${path}: ${text}`,
    );

  test("names every column that nothing is said about, but for generated ones and views", () => {
    expect(strict({ "users.*": mask.public(), "orders.placed": mask.public() })).toEqual([
      "orders.id: is not classified (int8); add a mask, or mask.public()",
      "orders.login: is not classified (varchar(12)); add a mask, or mask.public()",
      'audit.entries."Old Row": is not classified (jsonb); add a mask, or mask.public()',
    ]);
  });

  test("takes a foreign key that follows another column for said", () => {
    expect(
      strict({
        "users.id": mask.public(),
        "users.login": mask.hash(),
        "users.email": mask.email(),
        "orders.id": mask.public(),
        "orders.placed": mask.public(),
        "audit.entries.*": mask.public(),
      }),
    ).toEqual([]);
  });
});

describe("a plan", () => {
  const masks = listed({ "users.login": mask.hash(), "users.email": mask.email() });
  const { plan } = planMasks(shop, masks);

  test("has the columns that follow by a foreign key, and takes that key off meanwhile", () => {
    expect(
      plan?.rewrites.map(({ title, masked }) => [title, masked.map(({ path }) => path)]),
    ).toEqual([
      ["users", ["users.login", "users.email"]],
      ["orders", ["orders.login"]],
    ]);
    expect(plan?.foreignKeys.map(({ on, name }) => [on, name])).toEqual([
      ['"public"."orders"', "orders_login_fkey"],
    ]);
    expect(plan && describeMaskPlan(plan, masks)).toBe(
      "3 columns in 2 tables; 4 columns without a mask or public",
    );
  });

  test("gives both ends of a foreign key the length of the shorter one", () => {
    const outputs = plan?.rewrites.flatMap(({ masked }) => masked.map(({ output }) => output));
    expect(outputs?.[0]).toBe("(left(encode(stagecraft_2_digest, 'hex'), 12))::varchar(20)");
    expect(outputs?.[2]).toBe("(left(encode(stagecraft_2_digest, 'hex'), 12))::varchar(12)");
  });

  test("writes a table in one pass, and names no secret", () => {
    const digest = (purpose: string, name: string): string =>
      `sha256((SELECT decode(current_setting('stagecraft.mask_outer'), 'hex')) || sha256((SELECT decode(current_setting('stagecraft.mask_${purpose}'), 'hex')) || convert_to("${name}"::text, 'UTF8')))`;
    const [users] = plan?.rewrites ?? [];
    expect(users && rewriteSql(users)).toEqual({
      mask:
        "CREATE TEMPORARY TABLE stagecraft_masked ON COMMIT DROP AS SELECT " +
        `"id", (left(encode(stagecraft_2_digest, 'hex'), 12))::varchar(20) AS "login", ` +
        `('u' || left(encode(stagecraft_3_digest, 'hex'), 24) || '@example.invalid')::text AS "email" FROM ` +
        `(SELECT *, ${digest("hash", "login")} AS stagecraft_2_digest, ${digest("email", "email")} AS stagecraft_3_digest ` +
        `FROM (SELECT * FROM ONLY "public"."users") AS "users" OFFSET 0) AS "users"`,
      empty: 'TRUNCATE ONLY "public"."users"',
      fill: `INSERT INTO "public"."users" ("id", "login", "email") OVERRIDING SYSTEM VALUE SELECT "id", "login", "email" FROM pg_temp.stagecraft_masked`,
    });
  });

  test("writes partitions one by one, or all together when a row may move", () => {
    const facts = catalogue([
      table(1, "hours", [column("day", "date"), column("note")], {
        kind: "partitioned",
        partitionKey: ["day"],
      }),
      table(2, "hours_2025", [column("note"), column("day", "date")], { parents: [1], bytes: 10 }),
      table(3, "hours_2026", [column("day", "date"), column("note")], { parents: [1], bytes: 20 }),
    ]);
    const titles = (columns: Record<string, Mask>): unknown =>
      planMasks(facts, listed(columns)).plan?.rewrites.map(({ title, relations }) => [
        title,
        relations,
      ]);
    expect(titles({ "hours.note": mask.constant("") })).toEqual([
      ["hours_2026", [3]],
      ["hours_2025", [2]],
    ]);
    expect(titles({ "hours.note": mask.constant(""), "hours.day": mask.dateShift(3) })).toEqual([
      ["hours", [2, 3]],
    ]);
  });

  test("says what no mask can do", () => {
    const facts = catalogue(
      [
        table(1, "contracts", [column("scan", "oid"), column("copy", "oid")]),
        table(2, "elsewhere", [column("email")], { kind: "foreign" }),
      ],
      { largeObjects: 3 },
    );
    const told = planMasks(facts, listed({ "contracts.scan": mask.null() })).plan;
    expect(told?.emptied).toEqual([{ target: '"public"."contracts"', column: "scan" }]);
    expect(told?.notes).toEqual([
      "3 large objects in contracts.copy are not masked; mask.null() removes them",
      "elsewhere is a foreign table: its rows on another server are not masked",
    ]);
  });

  test("tells in a line what was done", () => {
    const report = { columns: [], tables: [], values: 10_214_882, seconds: 21.3 };
    expect(masksLine({ ...report, largeObjectsRemoved: 0, notes: [] })).toBe(
      "10,214,882 values masked in 0 columns of 0 tables, 21 s",
    );
  });
});
