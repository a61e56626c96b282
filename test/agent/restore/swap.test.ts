import { describe, expect, test } from "vitest";
import { useServer } from "../../support/servers/server";
import { plainDump } from "../../support/databases/shop";
import { holdSession } from "../../support/databases/held-session";
import { atMost, second } from "../../support/time/limit.mjs";
import { until } from "../../support/time/until";

const server = useServer();

const dumpOf = (text: string, rows = 3): Buffer =>
  Buffer.from(
    plainDump(
      `CREATE TABLE public.t (v text);\nCOPY public.t (v) FROM stdin;\n${`${text}\n`.repeat(rows)}\\.\n`,
    ),
  );
const value = async (database: string): Promise<string> =>
  server.sql(database, "SELECT min(v) || ' ' || count(*) FROM public.t");

describe("the same dump again", () => {
  test("changes nothing, and need not even be handed over", async () => {
    const first = await server.restore({ database: "same", dump: dumpOf("one") });
    expect(first.result.result).toBe("restored");
    const before = await server.sql(
      "same",
      "SELECT oid FROM pg_database WHERE datname = current_database()",
    );
    const again = await server.restore({ database: "same", dump: dumpOf("one"), name: "one.sql" });
    expect(again.result).toMatchObject({
      result: "unchanged",
      text: "same already has the contents of one.sql",
      steps: [],
    });
    expect(
      await server.sql("same", "SELECT oid FROM pg_database WHERE datname = current_database()"),
    ).toBe(before);
    expect((await server.run(["find", "/var/lib/stagecraft/dumps", "-type", "f"])).stdout).toBe("");
  });

  test("is restored again when the database has lost its stamp", async () => {
    const dump = await server.file(dumpOf("one"));
    await server.sql("same", "DELETE FROM public.t");
    await server.sql("postgres", "ALTER DATABASE same RESET ALL");
    const { result } = await server.restore({ database: "same", dump, restoreId: "another" });
    expect(result.result, result.text).toBe("restored");
    expect(await value("same")).toBe("one 3");
  });
});

describe("another dump", () => {
  test("takes the name, and the contents before are kept for a rollback", async () => {
    for (const text of ["one", "two", "three"]) {
      const { result } = await server.restore({ database: "kept", dump: dumpOf(text) });
      expect(result.result, result.text).toBe("restored");
    }
    expect(await value("kept")).toBe("three 3");
    expect(await value("kept__previous")).toBe("two 3");
    await server.expectNothingUnfinished();
    await server.sql(
      "postgres",
      "DROP DATABASE kept; ALTER DATABASE kept__previous RENAME TO kept",
    );
    expect(await value("kept")).toBe("two 3");
    expect(await server.sql("kept", "SELECT current_setting('stagecraft.server')")).toBe(
      server.name,
    );
  });

  test('is not taken in mode "when missing", which makes only what is not there', async () => {
    const made = await server.restore({
      database: "production",
      dump: dumpOf("one"),
      mode: "when missing",
    });
    expect(made.result.result).toBe("restored");
    const kept = await server.restore({
      database: "production",
      dump: dumpOf("two"),
      mode: "when missing",
    });
    expect(kept.result.result).toBe("kept");
    expect(kept.result.text).toContain("production's contents are never replaced");
    expect(await value("production")).toBe("one 3");
    expect((await server.run(["find", "/var/lib/stagecraft/dumps", "-type", "f"])).stdout).toBe("");
  });

  test("is not restored over a database that is stamped as another server's", async () => {
    await server.restore({ database: "foreign", dump: dumpOf("one") });
    const stamp = `SELECT format('ALTER DATABASE "foreign" SET stagecraft.stamp = %L', replace(current_setting('stagecraft.stamp'), '${server.name}', 'production')) \\gexec`;
    await server.sql("foreign", stamp);
    const { status, result } = await server.restore({ database: "foreign", dump: dumpOf("two") });
    expect(status).toBe(1);
    expect(result.text).toMatch(
      /database foreign is stamped as belonging to server production, not sct-/,
    );
    expect(await value("foreign")).toBe("one 3");
    await server.expectNothingUnfinished();
  });
});

describe("two restores at once", () => {
  test("of one database: the second waits and finds the work done", async () => {
    const dump = await server.file(dumpOf("slow", 300_000));
    const { sha256 } = await server.receive(dump, { database: "twice" });
    const source = { name: "slow.sql", sha256 };
    const both = await Promise.all([
      server.restoreReceived({ database: "twice", source }),
      server.restoreReceived({ database: "twice", source }),
    ]);
    expect(both.map(({ result }) => result.result).sort()).toEqual(["restored", "unchanged"]);
    const waited = both.find(({ result }) => result.result === "unchanged");
    expect(waited?.stderr).toContain("another restore of twice is running; waiting for it");
    expect(await value("twice")).toBe("slow 300000");
  });

  test("of two databases do not disturb each other", async () => {
    const names = ["left", "right"];
    const all = await Promise.all(
      names.map((database) => server.restore({ database, dump: dumpOf(database, 50_000) })),
    );
    expect(all.map(({ result }) => result.text)).toEqual(
      names.map((name) => expect.stringMatching(name) as string),
    );
    expect(all.map(({ result }) => result.result)).toEqual(["restored", "restored"]);
    await server.expectNothingUnfinished();
  });
});

describe("clients that are connected during the swap", () => {
  /** A program in the agent's container that asks again and again, until a file is there, and prints the longest time without an answer, in ms. */
  const client = `
    last=$(date +%s%3N); longest=0; answers=0
    until [ -e /tmp/swapped ]; do
      psql -qAtX -U postgres -d busy -c 'SELECT min(v) FROM public.t' >/dev/null 2>&1 || continue
      now=$(date +%s%3N); [ $(( now - last )) -gt $longest ] && longest=$(( now - last ))
      last=$now; answers=$(( answers + 1 )); echo >>/tmp/answered
    done
    echo "$longest $answers"`;
  const answered = async (): Promise<number> =>
    Number((await server.run(["sh", "-c", "cat /tmp/answered | wc -l"])).stdout);

  test("are ended and can reconnect at once; reconnecting in a tight loop does not stop the swap", async () => {
    await server.restore({ database: "busy", dump: dumpOf("one") });
    const loops = [0, 1].map(async () => server.run(["bash", "-c", client]));
    const session = await holdSession(server, "busy", "SELECT * FROM public.t");
    await until("answers to clients", async () => (await answered()) > 10);
    const { result } = await server.restore({
      database: "busy",
      dump: dumpOf("one", 4),
      restoreId: "second",
    });
    expect(result.result, result.text).toBe("restored");
    expect(result.awaySeconds).toBeGreaterThan(0);
    expect(result.awaySeconds).toBeLessThan(atMost(2));
    const before = await answered();
    await until("answers after the swap", async () => (await answered()) > before + 10);
    await server.run(["touch", "/tmp/swapped"]);
    expect((await session.ended).stderr).toMatch(
      /terminating connection due to administrator command|server closed the connection/,
    );
    for (const loop of await Promise.all(loops)) {
      const [longest = Infinity, answers = 0] = loop.stdout.trim().split(" ").map(Number);
      expect(answers).toBeGreaterThan(10);
      expect(longest).toBeLessThan(atMost(3 * second));
    }
    expect(await value("busy")).toBe("one 4");
  });
});

test("a former copy that cannot be dropped does not make a restore fail, whose contents are live already", async () => {
  const database = "stuck";
  for (const text of ["one", "two"]) await server.restore({ database, dump: dumpOf(text) });
  // PostgreSQL drops no database with a subscription, which ends in a session in it, and here nobody can begin one.
  await server.sql(
    "stuck__previous",
    "CREATE SUBSCRIPTION s CONNECTION 'host=/dev/null' PUBLICATION p WITH (connect = false)",
  );
  const setLocale = async (locale: string): Promise<unknown> =>
    server.sql(
      "postgres",
      `UPDATE pg_database SET datctype = '${locale}' WHERE datname IN ('stuck__previous', 'stuck__outgoing')`,
    );
  const locale = await server.sql(
    "postgres",
    "SELECT datctype FROM pg_database WHERE datname = 'stuck__previous'",
  );
  await setLocale("nowhere");
  const third = await server.restore({ database, dump: dumpOf("three") });
  expect(third.result.result, third.result.text).toBe("restored");
  expect(third.stderr).toMatch(
    /cannot drop stuck__outgoing yet: .*database locale is incompatible/,
  );
  expect(await value(database)).toBe("three 3");
  expect(await value("stuck__previous")).toBe("two 3");

  const refused = await server.restore({ database, dump: dumpOf("four") });
  expect(refused.result).toMatchObject({ result: "failed" });
  expect(await value(database)).toBe("three 3");
  await setLocale(locale);
  expect((await server.restore({ database, dump: dumpOf("four") })).result.result).toBe("restored");
  await server.expectNothingUnfinished();
});
