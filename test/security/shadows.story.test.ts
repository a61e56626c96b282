import { beforeAll, describe, expect, test } from "vitest";
import { verbs, type VerbName } from "../../contract/verbs";
import { serverKinds } from "../../model/base/names";
import { shopSql } from "../support/databases/shop";
import { VerbRecorder, type Act } from "../support/security/act";
import { AgentActs } from "../support/security/agent-acts";
import { ExternalActs } from "../support/security/external-acts";
import { Shadows } from "../support/security/shadows";
import { useExternalServer } from "../support/servers/external-server";
import type { TestServer } from "../support/servers/server";
import { useStackServer } from "../support/servers/stack-server";

const database = "shop";

/** Verbs that none of these tests calls, and why. */
const notCalled: Readonly<Partial<Record<VerbName, string>>> = {
  serve: "it is what runs in the agent's container all the while",
  "keep-state": "it writes a file of the agent and connects to no database",
  "copies-at-hand": "it lists files of the off-site storage",
  "alerts-test": "it sends alerts; its session reads the archiver's state, as that of observe does",
  scratch: "it runs where no database of the server is",
  offsite: "it lists files of the off-site storage",
  "offsite-upload": "it copies files of a backup; its only session is in the agent's own database",
  "offsite-fetch": "it copies files of a backup; its only session is in the agent's own database",
};

/** Restores a database and has its owner plant shadows in it. */
function usePlanted(server: TestServer): { shadows: Shadows; recorder: VerbRecorder } {
  const shadows = new Shadows(server, database);
  beforeAll(async () => {
    await server.createDatabase("source", shopSql);
    const dump = await server.dump("source");
    const { result } = await server.restore({ database, dump });
    expect(result.result, result.text).toBe("restored");
    await server.sql("postgres", "DROP DATABASE source");
    await shadows.plant();
    await shadows.called();
  });
  return { shadows, recorder: new VerbRecorder(server) };
}

type Planted = ReturnType<typeof usePlanted>;

/** That a superuser would call them, so that their silence says something. */
function testShadows(server: TestServer, { shadows }: Planted): void {
  test("a superuser's session with the database's own parameters would call them: the shadows work", async () => {
    await server.sql(
      database,
      "SELECT count(*) FROM pg_class WHERE relname = lower('X') AND oid <> '1'::oid",
    );
    expect(await shadows.called()).toEqual(
      expect.arrayContaining(["lower", "operator =", "relation pg_class", "type oid"]),
    );
  });
}

function testActs(acts: readonly Act[], { shadows, recorder }: Planted): void {
  test.each(acts)("$name", async ({ verbs, run }) => {
    recorder.take();
    await run();
    expect(recorder.take()).toEqual([...verbs].sort());
    expect(await shadows.called()).toEqual([]);
  });
}

const clusterActs: Act[] = [];
const externalActs: Act[] = [];

describe.each(serverKinds)(
  "on a server of the kind %s, no superuser calls what the owner has put in its way",
  (kind) => {
    const server = useStackServer({ kind, database });
    const planted = usePlanted(server);
    const acts = new AgentActs(server, database, planted.shadows);
    testShadows(server, planted);
    // What differs between the kinds are the rules, the roles and the mode of a restore.
    const all = kind === "production" ? [...acts.common(), ...acts.ofCluster()] : acts.common();
    clusterActs.push(...all);
    testActs(all, planted);
  },
);

describe("on an external server, no superuser calls what the owner has put in its way", () => {
  const server = useExternalServer();
  beforeAll(async () => {
    expect(await server.connectAgent()).toMatchObject({ status: 0 });
    expect(await server.makeRoles({ database })).toMatchObject({ status: 0 });
  });
  const planted = usePlanted(server);
  testShadows(server, planted);
  const all = [
    ...new AgentActs(server, database, planted.shadows).common(),
    ...new ExternalActs(server, database).all(),
  ];
  externalActs.push(...all);
  testActs(all, planted);
});

test("every verb of the agent is called by these tests, or there is a reason why not", () => {
  const called = [...clusterActs, ...externalActs].flatMap((act) => act.verbs);
  const known = Object.keys(notCalled);
  expect(called.filter((name) => known.includes(name))).toEqual([]);
  expect([...new Set([...called, ...known])].sort()).toEqual(Object.keys(verbs).sort());
});
