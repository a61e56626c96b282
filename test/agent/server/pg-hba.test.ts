import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { RequiredConnection } from "../../../model/pg-hba/rule/protocol";
import {
  agentRule,
  requestHba,
  hba,
  hbaFiles,
  hbaPath,
  loadTimes,
  postgresLog,
  applyHba,
  readHba,
  untilLogged,
} from "../../support/pg-hba/agent-rules";
import { sha256 } from "../../../components/engine/digest";
import { markerOf, renderManagedFile } from "../../../model/pg-hba/text/managed-file";
import { parsePgHba } from "../../../model/pg-hba/text/parse";
import { runInAgent } from "../../support/programs/agent-function";
import { docker, owner, useServer } from "../../support/servers/server";
import { endHolderSql, holdSession } from "../../support/databases/held-session";
import { atMost, polling } from "../../support/time/limit.mjs";

const server = useServer();

const usual = hba("host all,replication all samenet scram-sha-256");

const application: RequiredConnection = {
  name: "application",
  user: owner,
  database: "timesheets",
  over: "plain",
  method: "scram-sha-256",
};
const replica: RequiredConnection = { ...application, name: "replica", database: "replication" };

/** What PostgreSQL has logged since. */
async function logAfter(work: () => Promise<unknown>): Promise<string> {
  const before = await postgresLog(server);
  await work();
  return (await postgresLog(server)).slice(before.length);
}

/** That PostgreSQL runs since the same moment, with these rules alone. */
async function expectInPlace(text: string): Promise<void> {
  expect(await readHba(server)).toBe(text);
  expect(await hbaFiles(server)).toEqual([hbaPath]);
}

let started: string;
beforeEach(async () => {
  await applyHba(server, usual);
  ({ started } = await loadTimes(server));
});
afterEach(async () => {
  expect((await loadTimes(server)).started).toBe(started);
});

describe("a change of the rules", () => {
  test("is in force when the verb ends", async () => {
    const rejecting = hba(`host all ${owner} all reject`, "host all all samenet scram-sha-256");
    const result = await applyHba(server, rejecting);
    expect(result).toMatchObject({ changed: true });
    expect(result.steps.map(({ name }) => name)).toEqual([
      ...["connect", "open", "check", "write", "reload", "try"],
    ]);
    await expectInPlace(rejecting);
    const refused = await requestHba(server, rejecting, [application]);
    expect(refused.stderr).toContain(
      `pg_hba of ${server.name} is up to date, but a required connection is locked out`,
    );
    await applyHba(server, usual, [application, replica]);
  });

  test("is none with the same text: nothing is read again", async () => {
    const before = await loadTimes(server);
    const result = await applyHba(server, usual, [application]);
    expect(result).toMatchObject({ changed: false });
    expect(result.steps.map(({ name }) => name)).toEqual(["connect", "open", "try"]);
    expect(await loadTimes(server)).toEqual(before);
  });

  test("leaves no failed login in PostgreSQL's log", async () => {
    const log = await logAfter(async () => applyHba(server, hba("host all all samenet trust")));
    expect(log).toContain("received SIGHUP, reloading configuration files");
    const more = await logAfter(async () => {
      await applyHba(server, usual, [application, replica, { ...application, method: "md5" }]);
      const socket = { ...application, over: "socket" } as const;
      await applyHba(server, hba("local all all scram-sha-256"), [socket]);
    });
    expect(log + more).not.toMatch(/FATAL|ERROR|could not|unexpected/);
  });

  test("keeps the file's mode", async () => {
    await server.run(["chmod", "640", hbaPath]);
    await applyHba(server, hba("host all all all scram-sha-256"));
    expect((await server.run(["stat", "-c", "%a", hbaPath])).stdout).toBe("640\n");
    await server.run(["chmod", "600", hbaPath]);
  });

  test("waits for another one", async () => {
    const texts = [1, 2, 3].map((n) => hba(`host all all 10.0.0.${n}/32 scram-sha-256`));
    const said = await Promise.all(texts.map(async (text) => requestHba(server, text)));
    expect(said.map(({ status }) => status)).toEqual([0, 0, 0]);
    expect(texts).toContain(await readHba(server));
    expect(await hbaFiles(server)).toEqual([hbaPath]);
  });

  test("takes 10,000 rules", async () => {
    const rules = Array.from({ length: 10_000 }, (_, n) => {
      const address = `10.${n >> 16}.${(n >> 8) & 255}.${n & 255}/32`;
      return `host "database ${n}" role_${n} ${address} scram-sha-256 # ${n}`;
    });
    const text = hba(...rules, "host all all samenet scram-sha-256");
    const { seconds } = await applyHba(server, text, [application]);
    expect(seconds).toBeLessThan(atMost(10));
    await expectInPlace(text);
  });

  test("for another server is refused", async () => {
    const request = { server: "production", text: usual, required: [] };
    expect(await server.agent(["pg-hba"], request)).toEqual({
      status: 1,
      stdout: "",
      stderr: `the request is for server production, this is ${server.name}; check the names of the containers\n`,
    });
  });

  test("mends a file that was edited or removed by hand", async () => {
    for (const damage of [`echo nonsense >>${hbaPath}`, `rm ${hbaPath}`]) {
      await server.run(["sh", "-c", damage]);
      expect(await applyHba(server, usual, [application])).toMatchObject({ changed: true });
      await expectInPlace(usual);
    }
  });

  test("puts in force what somebody wrote by hand and PostgreSQL has not read", async () => {
    const byHand = hba("host all all all scram-sha-256");
    await server.run(["sh", "-c", `cat >${hbaPath}`], Buffer.from(byHand));
    const { loaded } = await loadTimes(server);
    expect(await applyHba(server, byHand, [application])).toMatchObject({ changed: true });
    expect((await loadTimes(server)).loaded).not.toBe(loaded);
    expect(await applyHba(server, byHand, [application])).toMatchObject({ changed: false });
  });
});

describe("rules that PostgreSQL refuses", () => {
  test.each([
    [
      "wrong lines",
      hba("host all all 10.0.0.0/8 scram", "", "# fine", "hostssl all all 10.0.0.0/33 cert"),
      [
        "PostgreSQL rejects 2 lines",
        '  line 2   invalid authentication method "scram"',
        '  line 5   invalid CIDR mask in address "10.0.0.0/33"',
        "  fix      correct the rules of pgHba in the stack file",
      ],
    ],
    [
      "a line with a backslash and quotes",
      hba('local all "a\\" b\\c'),
      [
        "PostgreSQL rejects 1 line",
        '  line 2   invalid authentication method "b\\c"',
        "  fix      correct the rules of pgHba in the stack file",
      ],
    ],
    [
      "a file that is not there",
      hba("include more.conf"),
      [
        "PostgreSQL rejects 1 line",
        '  line 2   could not open file "/var/lib/postgresql/data/pgdata/more.conf": No such file or directory',
        "  fix      correct the rules of pgHba in the stack file",
      ],
    ],
    [
      "no rule",
      "# nothing\n",
      ["it has no rule, so no one could connect; it needs at least: local all postgres peer"],
    ],
  ])("change nothing: %s", async (_, text, [head, ...lines]) => {
    const before = await loadTimes(server);
    const said = await requestHba(server, text, [application]);
    expect(said).toEqual({
      status: 1,
      stdout: "",
      stderr: [`pg_hba of ${server.name} was not changed: ${head}`, ...lines, ""].join("\n"),
    });
    await expectInPlace(usual);
    expect(await loadTimes(server)).toEqual(before);
  });

  // What PostgreSQL does not write into pg_hba_file_rules.error.
  test.each([
    [
      "radiusservers=nowhere.invalid radiussecrets=x",
      'could not translate RADIUS server name "nowhere.invalid" to address: .+',
    ],
    [
      'radiusservers="localhost,nowhere.invalid" radiussecrets=x',
      'could not translate RADIUS server name "nowhere.invalid" to address: .+',
    ],
    [
      "radiusservers=127.0.0.1 radiussecrets=x radiusports=many",
      'invalid RADIUS port number: "many"',
    ],
    ['radiusservers="a b" radiussecrets=x', 'could not parse RADIUS server list "a b"'],
    ['radiusservers=127.0.0.1 radiussecrets="a b"', "could not parse RADIUS secret list"],
  ])("change nothing, with the reason that PostgreSQL only logs: %s", async (options, reason) => {
    const before = await loadTimes(server);
    const text = hba("host all all samenet trust", `host all all 10.0.0.0/8 radius ${options}`);
    const { status, stderr } = await requestHba(server, text, [application]);
    expect(status).toBe(1);
    expect(stderr).toMatch(
      new RegExp(`was not changed: PostgreSQL rejects 1 line\n  line 3   ${reason}\n  fix `),
    );
    await expectInPlace(usual);
    expect(await loadTimes(server)).toEqual(before);
  });

  test("are not those of a RADIUS server whose name the network knows", async () => {
    const radius = `radiusservers="localhost,${server.postgres}" radiussecrets=x`;
    const text = hba(
      "host all all samenet scram-sha-256",
      `host all all 10.0.0.0/8 radius ${radius}`,
    );
    expect(await applyHba(server, text, [application])).toMatchObject({ changed: true });
    await expectInPlace(text);
  });

  test("are seen by their marker, when PostgreSQL keeps others than those in the file", async () => {
    const managed = (...rules: readonly string[]): string =>
      renderManagedFile(parsePgHba(hba(...rules)).rules, sha256);
    const first = managed("host all all samenet scram-sha-256");
    expect(await applyHba(server, first, [application])).toMatchObject({ changed: true });
    expect(await applyHba(server, first, [application])).toMatchObject({ changed: false });
    // Somebody lets PostgreSQL read other rules, and then puts these back with their time.
    const edit = `cp ${hbaPath} /tmp/first; sed -i s/${markerOf(first)?.user ?? ""}/nobody/ ${hbaPath}`;
    await server.run(["sh", "-c", edit]);
    await untilLogged(server, "reloading configuration files", async () =>
      server.sql("postgres", "SELECT pg_reload_conf()"),
    );
    await server.run(["sh", "-c", `cp /tmp/first ${hbaPath}`]);
    expect(await applyHba(server, first, [application])).toMatchObject({ changed: true });
    await applyHba(server, usual);
  });

  test("are told of by their first ten lines", async () => {
    const { stderr } = await requestHba(server, hba(...Array<string>(5000).fill("nonsense")));
    expect(stderr.split("\n")).toHaveLength(14);
    expect(stderr).toContain("PostgreSQL rejects 5,000 lines\n  line 2 ");
    expect(stderr).toContain("  and 4990 more\n");
  });
});

describe("rules that lock a required connection out", () => {
  const lead = `  application   ${owner} to timesheets over the network without TLS`;
  const address = "\\d+\\.\\d+\\.\\d+\\.\\d+";

  test.each([
    [
      "by no entry",
      hba("host all monitor samenet scram-sha-256"),
      new RegExp(
        `^28000  no pg_hba\\.conf entry for host "${address}", user "${owner}", database "timesheets", no encryption$`,
      ),
      `add the rule: host timesheets ${owner} samenet scram-sha-256`,
    ],
    [
      "by a rejection",
      hba(`host timesheets ${owner} all reject`, "host all all all scram-sha-256"),
      new RegExp(
        `^28000  pg_hba\\.conf rejects connection for host "${address}", user "${owner}", database "timesheets", no encryption$`,
      ),
      `add this rule above the one that rejects the connection: host timesheets ${owner} samenet scram-sha-256`,
    ],
    [
      "by a method that asks nothing",
      hba("host all all samenet trust"),
      /^PostgreSQL requests no authentication, but scram-sha-256 is required$/,
      `another rule matches first; put this one above it: host timesheets ${owner} samenet scram-sha-256`,
    ],
    [
      "by a method that asks for something else",
      hba("host all all samenet password"),
      /^PostgreSQL requests password, but scram-sha-256 is required$/,
      `another rule matches first; put this one above it: host timesheets ${owner} samenet scram-sha-256`,
    ],
  ])("are taken back: %s", async (_, text, reason, fix) => {
    const { status, stdout, stderr } = await requestHba(server, text, [application]);
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    const lines = stderr.split("\n");
    expect(lines[0]).toBe(
      `pg_hba of ${server.name} was not changed: a required connection would be locked out`,
    );
    expect(lines[1]).toBe(lead);
    expect(lines[2]?.trim()).toMatch(reason);
    expect(lines.slice(3)).toEqual([`    fix: ${fix}`, "The previous rules are active.", ""]);
    await expectInPlace(usual);
    expect(await applyHba(server, usual, [application])).toMatchObject({ changed: false });
  });

  test("are taken back when TLS is wanted and there is none", async () => {
    const tls: RequiredConnection = { ...application, over: "tls" };
    const { stderr } = await requestHba(server, hba("hostssl all all samenet scram-sha-256"), [
      tls,
    ]);
    expect(stderr).toContain("    TLS is off in PostgreSQL\n");
    expect(stderr).toContain("    fix: enable TLS for this server");
    await expectInPlace(usual);
  });

  test("are taken back when it is the agent's own", async () => {
    const { status, stderr } = await requestHba(server, "host all all samenet scram-sha-256\n");
    expect(status).toBe(1);
    expect(stderr).toBe(
      [
        `pg_hba of ${server.name} was not changed: a required connection would be locked out`,
        "  the agent   postgres to postgres over the socket",
        '    28000  no pg_hba.conf entry for host "[local]", user "postgres", database "postgres", no encryption',
        `    fix: add the rule: ${agentRule.replace("all", "postgres")}`,
        "The previous rules are active.",
        "",
      ].join("\n"),
    );
    await expectInPlace(usual);
  });

  test("are told of together", async () => {
    const { stderr } = await requestHba(server, hba("host other all all reject"), [
      application,
      replica,
    ]);
    expect(stderr).toContain("was not changed: 2 required connections would be locked out\n");
    expect(stderr).toContain(`  replica   ${owner} to replication over`);
    await expectInPlace(usual);
  });

  test("keep connections that are open", async () => {
    const session = await holdSession(server, "postgres", "SELECT 'still here'");
    await requestHba(server, "host all all samenet reject\n", [application]);
    expect(await server.sql("postgres", endHolderSql)).toBe("1");
    expect((await session.ended).stdout).toBe("still here\n");
  });
});

/** Every session begins two seconds late, so that there is a middle to be killed in. */
async function delaySessions(seconds: number): Promise<void> {
  await server.sql("postgres", `ALTER SYSTEM SET pre_auth_delay = ${seconds}`);
  await untilLogged(server, `parameter "pre_auth_delay" changed to "${seconds}"`, async () =>
    server.sql("postgres", "SELECT pg_reload_conf()"),
  );
}

/** Ends the agent's verb as it runs, but not its main process. */
const killOnTrial = `until [ -e ${hbaPath}.proven ]; do sleep 0.02; done; sleep "$1"
  for process in /proc/[0-9]*; do
    tr '\\0' ' ' <$process/cmdline | grep -q 'agent.j[s] pg-hba' && kill -9 \${process#/proc/}
  done; true`;

async function killWhileOnTrial(text: string, seconds: number): Promise<void> {
  await delaySessions(2);
  try {
    const running = requestHba(server, text, [application]);
    await server.run(["sh", "-c", killOnTrial, "-", String(seconds)]);
    expect((await running).status).toBe(137);
  } finally {
    await delaySessions(0);
  }
  expect(await readHba(server)).toBe(text);
  expect(await hbaFiles(server)).toContain(`${hbaPath}.proven`);
}

const locking = hba("host all all samenet reject");

/** Suspends the agent's main process, which would end an interrupted trial itself within a minute, or lets it go on. */
async function signalMainProcess(signal: "STOP" | "CONT"): Promise<void> {
  const find = `tr '\\0' ' ' <$process/cmdline | grep -q 'agent.j[s] serve'`;
  const loop = `for process in /proc/[0-9]*; do ${find} && kill -${signal} \${process#/proc/}; done; true`;
  await server.run(["sh", "-c", loop]);
}

describe("an agent that is killed while new rules are on trial", () => {
  beforeAll(async () => signalMainProcess("STOP"));
  afterAll(async () => signalMainProcess("CONT"));

  test.each([
    ["before PostgreSQL reads them", 0],
    ["while the connections are tried", 2.5],
  ])("%s, leaves rules that the next call takes back before it applies its own", async (_, at) => {
    await killWhileOnTrial(locking, at);
    const next = hba("host timesheets all samenet scram-sha-256");
    const { stdout, stderr } = await requestHba(server, next, [application]);
    expect(stderr).toBe("a change of the rules was interrupted; rolling it back first\n");
    expect(JSON.parse(stdout)).toMatchObject({ changed: true });
    await expectInPlace(next);
  });

  test("gets the same answer from the same call: the rules from before are in force", async () => {
    await killWhileOnTrial(locking, 1);
    const { status } = await requestHba(server, locking, [application]);
    expect(status).toBe(1);
    await expectInPlace(usual);
    await applyHba(server, usual, [application]);
  });

  test("loses rules that would have been fine to the next call with them, which applies them", async () => {
    const fine = hba("host all all all scram-sha-256");
    await killWhileOnTrial(fine, 1);
    expect(await applyHba(server, fine, [application])).toMatchObject({ changed: true });
    await expectInPlace(fine);
  });
});

describe("a trial that nobody ends", () => {
  beforeAll(async () => signalMainProcess("STOP"));
  afterAll(async () => signalMainProcess("CONT"));

  const functions = { rollBackInterruptedChange: "agent/server/pg-hba/apply.ts" };
  const body = "console.log(await rollBackInterruptedChange());";

  test("is ended by the agent's main process, once", async () => {
    await killWhileOnTrial(locking, 1);
    expect((await runInAgent(server, functions, body)).stdout).toBe("true\n");
    await expectInPlace(usual);
    expect(await applyHba(server, usual, [application])).toMatchObject({ changed: false });
    expect((await runInAgent(server, functions, body)).stdout).toBe("false\n");
  });

  test("is left alone while its verb runs", async () => {
    await delaySessions(2);
    const running = requestHba(server, locking, [application]);
    await server.run(["sh", "-c", `until [ -e ${hbaPath}.proven ]; do sleep 0.02; done`]);
    expect((await runInAgent(server, functions, body)).stdout).toBe("false\n");
    expect((await running).stderr).toContain("a required connection would be locked out");
    await delaySessions(0);
    await expectInPlace(usual);
  });
});

test("rules by hand that keep the agent out are mended with the help of one signal", async () => {
  const byHand = "local all all reject\nhost all all samenet scram-sha-256\n";
  await server.run(["sh", "-c", `cat >${hbaPath}`], Buffer.from(byHand));
  await untilLogged(server, "received SIGHUP", async () =>
    server.sql("postgres", "SELECT pg_reload_conf()"),
  );
  const { status, stderr } = await requestHba(server, usual, [application]);
  expect(status).toBe(1);
  expect(stderr).toBe(
    [
      'the agent cannot connect to PostgreSQL: pg_hba.conf rejects connection for host "[local]", user "postgres", database "stagecraft_agent", no encryption',
      "  done     pg_hba.conf has the new rules, but the agent cannot make PostgreSQL reload it",
      `  fix      docker kill --signal HUP ${server.postgres}, then run pulumi up again`,
      "",
    ].join("\n"),
  );
  await untilLogged(server, "received SIGHUP", async () =>
    docker("kill", "--signal", "HUP", server.postgres),
  );
  expect(await applyHba(server, usual, [application])).toMatchObject({ changed: false });
});

describe("a server with TLS", () => {
  const tls: RequiredConnection = { ...application, over: "tls" };
  const data = "/var/lib/postgresql/data/pgdata";

  beforeAll(async () => {
    const key = `-newkey rsa:2048 -nodes -keyout ${data}/server.key -out ${data}/server.crt`;
    await server.run(["sh", "-c", `openssl req -x509 -subj /CN=test ${key}`]);
    const enable =
      "ALTER SYSTEM SET ssl_cert_file = 'server.crt';\nALTER SYSTEM SET ssl_key_file = 'server.key';\nALTER SYSTEM SET ssl_ca_file = 'server.crt';\nALTER SYSTEM SET ssl = on;\nSELECT pg_reload_conf()";
    await untilLogged(server, 'parameter "ssl" changed to "on"', async () =>
      server.sql("postgres", enable),
    );
  });

  test("is tried with TLS and without, and logs no failed login", async () => {
    const log = await logAfter(async () => {
      const text = hba("hostssl all,replication all samenet scram-sha-256", "host all all all md5");
      const required = [tls, { ...replica, over: "tls" as const }, application];
      await applyHba(server, text, required);
      // The last sessions log what they have to say before they end.
      const sessions = async (): Promise<string> =>
        docker("top", server.postgres, "-o", "pid,args");
      await expect.poll(sessions, polling).not.toMatch(/postgres: \S+ \S+ (?:\[local\]|[\d.]+\()/);
    });
    expect(log).toContain("received SIGHUP");
    expect(log).not.toMatch(/FATAL|ERROR|could not|unexpected|SSL/);
  });

  test("lets rules be taken back that want TLS of a connection without", async () => {
    const { stderr } = await requestHba(server, hba("hostssl all all samenet scram-sha-256"), [
      application,
      tls,
    ]);
    expect(stderr).toMatch(
      /^ {2}application {3}app to timesheets over the network without TLS\n {4}28000 {2}no pg_hba\.conf entry for host "[\d.]+", user "app", database "timesheets", no encryption$/m,
    );
    await expectInPlace(usual);
  });

  test("counts being asked for a certificate as the answer of a cert rule", async () => {
    const text = hba("hostssl all all samenet cert");
    await applyHba(server, text, [{ ...tls, method: "cert" }]);
  });
});

test("a PostgreSQL that is killed while new rules are on trial comes back with those from before", async () => {
  await delaySessions(2);
  const running = requestHba(server, locking, [application]);
  await server.run(["sh", "-c", `until [ -e ${hbaPath}.proven ]; do sleep 0.02; done`]);
  await server.kill("postgres");
  const { status, stderr } = await running;
  expect(status).toBe(1);
  expect(stderr).toMatch(
    /^cannot restore the previous rules yet \(.*\); the next change restores them$/m,
  );
  expect(await readHba(server)).toBe(usual);
  await server.restart("postgres");
  await applyHba(server, usual);
  await delaySessions(0);
  await expectInPlace(usual);
  ({ started } = await loadTimes(server));
});
