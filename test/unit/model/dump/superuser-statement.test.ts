import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { superuserStatement } from "../../../../model/dump/superuser-statement";

const rendered = (text: string): string | undefined => {
  const found = superuserStatement(text);
  return found && "sql" in found ? found.sql : undefined;
};

describe("a statement that only a superuser may run is rendered from its names and constants", () => {
  test.each([
    [
      "CREATE EXTENSION IF NOT EXISTS hstore WITH SCHEMA public;",
      'CREATE EXTENSION IF NOT EXISTS "hstore" WITH SCHEMA "public"',
    ],
    [
      `CREATE EXTENSION "uuid-ossp" SCHEMA "Odd ""one""" VERSION '1.1'`,
      `CREATE EXTENSION IF NOT EXISTS "uuid-ossp" WITH SCHEMA "Odd ""one""" VERSION '1.1'`,
    ],
    ["COMMENT ON EXTENSION hstore IS 'it''s'", `COMMENT ON EXTENSION "hstore" IS 'it''s'`],
    [
      "CREATE EVENT TRIGGER e ON ddl_command_end\n         WHEN TAG IN ('CREATE TABLE', 'DROP TABLE')\n   EXECUTE FUNCTION public.f();",
      `CREATE EVENT TRIGGER "e" ON ddl_command_end WHEN tag IN ('CREATE TABLE', 'DROP TABLE') EXECUTE FUNCTION "public"."f"()`,
    ],
    ["ALTER EVENT TRIGGER e ENABLE ALWAYS", 'ALTER EVENT TRIGGER "e" ENABLE ALWAYS'],
    [
      "CREATE PUBLICATION p FOR ALL TABLES WITH (publish = 'insert, update', publish_via_partition_root = true)",
      `CREATE PUBLICATION "p" FOR ALL TABLES WITH ("publish" = 'insert, update', "publish_via_partition_root" = 'true')`,
    ],
    [
      "ALTER PUBLICATION p ADD TABLES IN SCHEMA s",
      'ALTER PUBLICATION "p" ADD TABLES IN SCHEMA "s"',
    ],
    [
      "CREATE SUBSCRIPTION s CONNECTION 'host=x password=y' PUBLICATION a, b WITH (connect = false, slot_name = 's')",
      `CREATE SUBSCRIPTION "s" CONNECTION 'host=x password=y' PUBLICATION "a", "b" WITH (connect = false, enabled = false, create_slot = false, slot_name = NONE)`,
    ],
    [
      "CREATE SUBSCRIPTION s CONNECTION 'x' PUBLICATION a WITH (connect = false, slot_name = 's', streaming = parallel, enabled = true)",
      `CREATE SUBSCRIPTION "s" CONNECTION 'x' PUBLICATION "a" WITH (connect = false, enabled = false, create_slot = false, slot_name = NONE, "streaming" = 'parallel')`,
    ],
    ["CREATE FOREIGN DATA WRAPPER w", 'CREATE FOREIGN DATA WRAPPER "w"'],
    [
      "CREATE FOREIGN DATA WRAPPER w OPTIONS (\n    debug 'true',\n    \"a b\" 'it''s'\n)",
      `CREATE FOREIGN DATA WRAPPER "w" OPTIONS ("debug" 'true', "a b" 'it''s')`,
    ],
  ])("%s", (text, sql) => {
    expect(rendered(text)).toBe(sql);
  });

  test("plpgsql, which every database has, is skipped", () => {
    expect(superuserStatement("CREATE OR REPLACE PROCEDURAL LANGUAGE plpgsql")).toEqual({
      kind: "skip",
    });
    expect(superuserStatement("CREATE LANGUAGE plpython3u")).toBeUndefined();
  });

  test.each(["ALTER SUBSCRIPTION s ENABLE", "ALTER SUBSCRIPTION s SET (slot_name = 's')"])(
    "%s, which would attach a copy to its publisher, is skipped",
    (text) => {
      expect(superuserStatement(text)).toEqual({ kind: "skip" });
    },
  );

  test("a publication of all tables then belongs to the role that restores", () => {
    const found = superuserStatement("CREATE PUBLICATION p FOR ALL TABLES");
    expect(found?.kind === "owned" && found.then("r")).toBe('ALTER PUBLICATION "p" OWNER TO "r"');
  });
});

describe("anything else is left to the role that restores", () => {
  test.each([
    "CREATE EXTENSION hstore; SELECT 1",
    "CREATE EXTENSION hstore CASCADE",
    "CREATE EXTENSION hstore -- a comment",
    "COMMENT ON EXTENSION hstore IS E'\\x41'",
    "COMMENT ON EXTENSION hstore IS (SELECT 1)",
    "CREATE EVENT TRIGGER e ON ddl_command_end EXECUTE FUNCTION f(1)",
    "CREATE EVENT TRIGGER e ON ddl_command_end WHEN other IN ('x') EXECUTE FUNCTION f()",
    "CREATE PUBLICATION p FOR TABLE t WHERE (f(id))",
    "CREATE SUBSCRIPTION s CONNECTION 'host=x' PUBLICATION a",
    "CREATE SUBSCRIPTION s CONNECTION 'host=x' PUBLICATION a WITH (connect = true)",
    "CREATE FOREIGN DATA WRAPPER w HANDLER f",
    "CREATE FOREIGN DATA WRAPPER w VALIDATOR f",
    "CREATE FOREIGN DATA WRAPPER w OPTIONS (debug true)",
    "CREATE FOREIGN DATA WRAPPER w OPTIONS (debug 'true') HANDLER f",
    "CREATE OPERATOR CLASS c FOR TYPE int USING btree AS OPERATOR 1 <",
    "CREATE CAST (a AS b) WITHOUT FUNCTION",
    "CREATE FUNCTION f() RETURNS int LANGUAGE c AS 'x'",
    "DO $$ BEGIN END $$",
    "",
  ])("%s", (text) => {
    expect(superuserStatement(text)).toBeUndefined();
  });

  test("whatever is put behind or into a statement of the list does not reach the superuser", () => {
    const statements = [
      "CREATE EXTENSION hstore WITH SCHEMA public",
      "COMMENT ON EXTENSION hstore IS 'x'",
      "CREATE EVENT TRIGGER e ON ddl_command_end EXECUTE FUNCTION public.f()",
      "CREATE PUBLICATION p FOR ALL TABLES WITH (publish = 'insert')",
    ];
    const poison = ["; SELECT evil()", " evil()", "/* x */", "--", "$$x$$", "\0", "::evil", "||"];
    fc.assert(
      fc.property(
        fc.constantFrom(...statements),
        fc.constantFrom(...poison),
        fc.nat(60),
        (statement, added, at) => {
          const text = statement.slice(0, at) + added + statement.slice(at);
          const sql = rendered(text);
          // Inside of a name or a constant it is a part of that.
          const code = (sql ?? "").replaceAll(/"(?:[^"]|"")*"|'(?:[^']|'')*'/g, "");
          expect(code).not.toMatch(/evil|\$\$|::|\|\|\/\*|--|;/);
        },
      ),
      { numRuns: 500 },
    );
  });
});
