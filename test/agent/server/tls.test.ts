import { execa } from "execa";
import { Client } from "pg";
import { beforeAll, describe, expect, test } from "vitest";
import { observationSchema } from "../../../model/observation/observation";
import { tlsResultSchema, type TlsRequest, type TlsResult } from "../../../model/tls/protocol";
import { hba } from "../../support/pg-hba/agent-rules";
import { docker, useServer, type CommandResult } from "../../support/servers/server";
import { polling } from "../../support/time/limit.mjs";

const server = useServer();
const dataFolder = "/var/lib/postgresql/data/pgdata";
const password = "over the wire";

const ask = async (more: Partial<TlsRequest> = {}): Promise<CommandResult> =>
  server.agent(["tls"], { server: server.name, names: [server.postgres, "localhost"], ...more });

/** Without the lines about another change that goes first. */
const withoutWaiting = (stderr: string): string =>
  stderr.replaceAll(
    /^(?:another change .* is running; waiting for it|still waiting for process .*)\n/gm,
    "",
  );

/** Sees to the certificate and gives the answer. */
async function apply(more: Partial<TlsRequest> = {}): Promise<TlsResult> {
  const said = await ask(more);
  expect(said).toMatchObject({ status: 0, stderr: "" });
  expect(said.stdout.split("\n")).toHaveLength(2);
  return tlsResultSchema.parse(JSON.parse(said.stdout));
}

/** Runs a script in the agent's container, in a folder of its own. */
async function script(text: string, input = ""): Promise<string> {
  const said = await server.run(["bash", "-euc", `cd /tmp && ${text}`], Buffer.from(input));
  expect(said.status, said.stderr).toBe(0);
  return said.stdout;
}

/** Connects with psql and gives what it says of the connection, or against it. */
async function psql(ca: string | null, options: string): Promise<string> {
  await server.run(["tee", "/tmp/ca.crt"], Buffer.from(ca ?? ""));
  await server.run(["tee", "/tmp/pass"], Buffer.from(`*:*:*:visitor:${password}\n`));
  await server.run(["chmod", "600", "/tmp/pass"]);
  const said = await server.run([
    ...["psql", "-qAtX", `user=visitor dbname=postgres passfile=/tmp/pass ${options}`],
    ...["-c", "SELECT ssl, version FROM pg_stat_ssl WHERE pid = pg_backend_pid()"],
  ]);
  return (said.stdout + said.stderr).trim();
}

const verify = (host = server.postgres): string =>
  `host=${host} sslmode=verify-full sslrootcert=/tmp/ca.crt`;

const address = async (): Promise<string> =>
  docker(
    ...["inspect", "--format", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"],
    server.postgres,
  );

/** A session of node-pg that checks the server as a browser would. */
async function connect(ca: string | null, host: string): Promise<Client> {
  const client = new Client({
    ...{ host, user: "visitor", password, database: "postgres" },
    ssl: { ca: ca ?? "", rejectUnauthorized: true },
  });
  client.on("error", () => undefined);
  await client.connect();
  return client;
}

/** A certificate of an authority of its own, for this name and these days from now on, all in PEM. */
async function foreign(
  name: string,
  days = [-1, 90],
): Promise<{ certificate: string; key: string; ca: string }> {
  const [from, to] = days.map((day) =>
    new Date(Date.now() + day * 86_400_000).toISOString().replace(/\.\d+|[-:T]/g, ""),
  );
  const made = await script(`rm -rf foreign && mkdir foreign && cd foreign
    req="openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc"
    $req -keyout ca.key -out ca.crt -subj /CN=elsewhere -days 900 2>/dev/null
    $req -CA ca.crt -CAkey ca.key -keyout key -out crt -subj /CN=x -not_before ${from} -not_after ${to} \\
      -addext basicConstraints=critical,CA:FALSE -addext "subjectAltName=DNS:${name}" 2>/dev/null
    cat crt; echo '#'; cat key; echo '#'; cat ca.crt`);
  const [certificate = "", key = "", ca = ""] = made.split("#\n");
  return { certificate, key, ca };
}

beforeAll(async () => {
  await server.sql(
    "postgres",
    `CREATE ROLE visitor LOGIN PASSWORD '${password}'; GRANT CONNECT ON DATABASE postgres TO visitor`,
  );
});

describe("the server's own certificate", () => {
  test("is made once, and psql checks it in full", async () => {
    expect(await psql(null, `host=${server.postgres} sslmode=require`)).toMatch(
      /server does not support SSL/,
    );
    const first = await apply();
    expect(first).toMatchObject({
      changed: true,
      reason: "there was none",
      names: [server.postgres, "localhost"],
      warnings: [],
    });
    const days = (Date.parse(first.expires) - Date.now()) / 86_400_000;
    expect(days).toBeGreaterThan(396);
    expect(days).toBeLessThan(397.1);
    expect(await psql(first.ca, verify())).toMatch(/^t\|TLSv1\.3$/);
    expect(await apply()).toEqual({ ...first, changed: false, reason: "" });
  });

  test("is checked in full by node-pg", async () => {
    const host = await address();
    const { ca, changed } = await apply({ names: [server.postgres, "localhost", host, "::1"] });
    expect(changed).toBe(true);
    const client = await connect(ca, host);
    const { rows } = await client.query("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()");
    expect(rows).toEqual([{ ssl: true }]);
    await client.end();
  });

  test("is refused by who trusts another authority", async () => {
    await apply();
    const { ca } = await foreign("elsewhere.example");
    expect(await psql(ca, verify())).toMatch(/certificate verify failed/);
    await expect(connect(ca, await address())).rejects.toThrow(
      /unable to verify the first certificate|self-signed|signature/,
    );
  });

  test("is refused under a name that it does not have", async () => {
    const { ca } = await apply();
    expect(await psql(ca, `hostaddr=${await address()} ${verify("db.example.com")}`)).toMatch(
      /server certificate for ".+" \(and 1 other name\) does not match host name "db\.example\.com"/,
    );
    await expect(connect(ca, await address())).rejects.toThrow(
      /does not match certificate's altnames/,
    );
  });

  test("never speaks the TLS of before 1.2", async () => {
    const { ca } = await apply();
    const old = `${verify()} ssl_min_protocol_version=TLSv1 ssl_max_protocol_version=TLSv1.1`;
    expect(await psql(ca, old)).toMatch(/unsupported protocol|no protocols available|alert/);
    expect(await psql(ca, `${verify()} ssl_max_protocol_version=TLSv1.2`)).toBe("t|TLSv1.2");
  });

  test("is another one for other names, of the same authority", async () => {
    const { ca } = await apply();
    const names = [server.postgres, "localhost", "db.example.com"];
    const more = await apply({ names });
    expect(more).toMatchObject({ ca, changed: true, reason: "it lacks db.example.com", names });
    expect(await psql(ca, `hostaddr=${await address()} ${verify("db.example.com")}`)).toMatch(/^t/);
    expect(await apply()).toMatchObject({
      reason: "it has db.example.com, which the server no longer has",
    });
  });

  test("leaves one folder of keys, which only PostgreSQL's user can read", async () => {
    await apply();
    const found = await script(
      `cd ${dataFolder} && find tls -printf '%m %u %y\\n' && ls tls | wc -l`,
    );
    expect(found).toBe("700 postgres d\n700 postgres d\n600 postgres f\n600 postgres f\n1\n");
    const kept = await script("find /var/lib/stagecraft/tls -type f -printf '%m %f\\n' | sort");
    expect(kept).toBe("600 ca.crt\n600 ca.key\n600 wanted.json\n");
  });
});

test("what is seen of TLS is the certificate in use", async () => {
  const seen = async (): Promise<unknown> =>
    observationSchema.parse(JSON.parse((await server.agent(["observe"])).stdout)).tls;
  const { expires, names } = await apply();
  const shown = await script(
    `openssl x509 -in ${dataFolder}/tls/*/server.crt -noout -fingerprint -sha256`,
  );
  const fingerprint = shown.replace(/.*=|:|\n/g, "").toLowerCase();
  expect(await seen()).toEqual({
    on: true,
    fingerprint,
    expires,
    names,
    given: false,
    clientCa: false,
  });
  await apply({ ...(await foreign("given.example")), names: ["given.example"] });
  expect(await seen()).toMatchObject({ on: true, names: ["given.example"], given: true });
});

describe("renewal", () => {
  /** Puts a certificate of our authority in use that ends in some days. */
  const age = async (days: number): Promise<void> => {
    await script(`
      place=$(dirname "$(sed -n "s/^ssl_cert_file = '\\(.*\\)'/\\1/p" ${dataFolder}/stagecraft-tls.conf)")
      ca=/var/lib/stagecraft/tls/authority
      openssl req -x509 -new -key "$place/server.key" -CA $ca/ca.crt -CAkey $ca/ca.key -days ${days} \\
        -subj /CN=old -addext basicConstraints=critical,CA:FALSE \\
        -addext "subjectAltName=DNS:${server.postgres},DNS:localhost" -out "$place/server.crt"`);
    await server.sql("postgres", "SELECT pg_reload_conf()");
  };
  const servedSubject = async (): Promise<string> =>
    script(
      `openssl s_client -starttls postgres -connect ${server.postgres}:5432 </dev/null 2>/dev/null | openssl x509 -noout -subject`,
    );

  test("comes when a certificate is about to end, and open connections go on", async () => {
    const { ca } = await apply({ names: [server.postgres, "localhost", await address()] });
    const session = await connect(ca, await address());
    const { rows: before } = await session.query("SELECT pg_backend_pid() AS pid");
    await apply();
    await age(12);
    await expect.poll(servedSubject, polling).toBe("subject=CN=old\n");
    expect(await psql(ca, verify())).toMatch(/^t/);
    expect(await apply()).toMatchObject({ changed: true, reason: "it expires in 11 days", ca });
    expect(await servedSubject()).toBe(`subject=CN=PostgreSQL of ${server.name}\n`);
    expect(await psql(ca, verify())).toMatch(/^t/);
    const { rows: after } = await session.query("SELECT pg_backend_pid() AS pid");
    expect(after).toEqual(before);
    await session.end();
  });

  test("is done by the agent's main process without being asked", async () => {
    await apply();
    await age(3);
    await expect.poll(servedSubject, polling).toBe("subject=CN=old\n");
    await docker("restart", "--time", "1", server.agentContainer);
    await expect.poll(servedSubject, polling).toBe(`subject=CN=PostgreSQL of ${server.name}\n`);
    const told = `PostgreSQL has a new certificate, valid until .*: it expires in 2 days`;
    await expect
      .poll(
        async () => (await docker("logs", server.agentContainer)) + (await agentErrors()),
        polling,
      )
      .toMatch(new RegExp(told));
  });

  test("of the authority keeps its key, so clients with the old certificate stay", async () => {
    const { ca } = await apply();
    await script(`cd /var/lib/stagecraft/tls/authority && openssl x509 -in ca.crt -key ca.key -days 400 -out ca.new \\
      && mv ca.new ca.crt`);
    const renewed = await apply();
    expect(renewed).toMatchObject({ changed: false });
    expect(renewed.ca).not.toBe(ca);
    expect(await psql(ca, verify())).toMatch(/^t/);
    expect(await psql(renewed.ca, verify())).toMatch(/^t/);
    await apply({ names: [server.postgres, "localhost", "again.example"] });
    expect(await psql(ca, verify())).toMatch(/^t/);
    expect(await psql(renewed.ca, verify())).toMatch(/^t/);
  });

  test("makes a new authority when the old one is lost", async () => {
    const { ca } = await apply();
    await script("rm -r /var/lib/stagecraft/tls");
    const made = await apply();
    expect(made).toMatchObject({ changed: true, reason: "it is from another authority" });
    expect(await psql(ca, verify())).toMatch(/certificate verify failed/);
    expect(await psql(made.ca, verify())).toMatch(/^t/);
  });

  test("mends a key that is gone, and TLS that was turned off", async () => {
    await apply();
    await script(`rm ${dataFolder}/tls/*/server.key`);
    expect(await apply()).toMatchObject({ changed: true, reason: "there was none" });
    await server.sql("postgres", "ALTER SYSTEM SET ssl = off; ");
    await server.sql("postgres", "ALTER SYSTEM RESET ssl");
    await script(`sed -i "s/^ssl = .*/ssl = off/" ${dataFolder}/stagecraft-tls.conf`);
    await server.sql("postgres", "SELECT pg_reload_conf()");
    await expect.poll(async () => server.sql("postgres", "SHOW ssl"), polling).toBe("off");
    const { ca, reason } = await apply();
    expect(reason).toBe("TLS was off");
    expect(await psql(ca, verify())).toMatch(/^t/);
  });
});

describe("a certificate that a person gives", () => {
  test("is used, and its authority is told on", async () => {
    const given = await foreign(server.postgres);
    const names = [server.postgres];
    const first = await apply({ ...given, names });
    expect(first).toMatchObject({ ca: given.ca, changed: true, names, warnings: [] });
    expect(await psql(given.ca, verify())).toMatch(/^t/);
    expect(await apply({ ...given, names })).toEqual({ ...first, changed: false, reason: "" });
    const own = await apply();
    expect(own).toMatchObject({ changed: true, reason: "it is from another authority" });
    expect(await psql(own.ca, verify())).toMatch(/^t/);
  });

  test("is warned of when it ends soon or lacks a name", async () => {
    const { warnings } = await apply({ ...(await foreign("db.example.com", [-1, 10])) });
    expect(warnings).toEqual([
      `the supplied certificate is for db.example.com: clients with sslmode=verify-full will reject ${server.postgres}, localhost`,
      "the supplied certificate must be replaced: it expires in 9 days",
    ]);
    const { certificate, key } = await foreign(server.postgres);
    const unknown = await apply({ certificate, key, names: [server.postgres] });
    expect(unknown).toMatchObject({ ca: null });
    expect(unknown.warnings).toEqual([
      "tls.certificate is from an authority that this system does not trust (unable to get local issuer certificate); set tls.ca to the authority's certificate",
    ]);
    await apply();
  });

  test("is refused when something is wrong with it, and the one in use stays", async () => {
    const { ca } = await apply();
    const given = await foreign(server.postgres);
    const other = await foreign(server.postgres);
    const old = await foreign(server.postgres, [-20, -10]);
    const early = await foreign(server.postgres, [10, 20]);
    const refusals = await Promise.all(
      [
        { ...given, key: other.key },
        { ...given, ca: other.ca },
        { ...given, certificate: "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n" },
        { ...given, key: "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n" },
        old,
        early,
      ].map(async (request) => withoutWaiting((await ask(request)).stderr)),
    );
    expect(refusals).toEqual([
      "tls.key does not belong to tls.certificate; set both to files that were created together\n",
      "tls.certificate has no chain to tls.ca: unable to get local issuer certificate; append the intermediate certificates to tls.certificate\n",
      "tls.certificate cannot be read: it must be a certificate in PEM\n",
      "tls.key cannot be read: it must be a private key in PEM, without a passphrase\n",
      `tls.certificate expired on ${day(-10)}; set it to a valid certificate\n`,
      `tls.certificate is not valid before ${day(10)}; set it to a valid certificate\n`,
    ]);
    expect(await psql(ca, verify())).toMatch(/^t/);
    expect(await apply()).toMatchObject({ changed: false });
  });

  test("that PostgreSQL itself does not take is refused in its words", async () => {
    const { ca } = await apply();
    const weak =
      await script(`openssl req -x509 -newkey rsa:512 -noenc -keyout k -out c -subj /CN=x -days 90 \\
      -addext "subjectAltName=DNS:${server.postgres}" 2>/dev/null; cat c; echo '#'; cat k`);
    const [certificate = "", key = ""] = weak.split("#\n");
    const said = await ask({ certificate, key });
    expect(said.status).toBe(1);
    expect(said.stderr).toMatch(
      /^PostgreSQL rejects the certificate; the previous configuration stays in effect: could not load server certificate file ".+": ee key too small/,
    );
    expect(await psql(ca, verify())).toMatch(/^t/);
  });
});

describe("a CA of clients", () => {
  const observed = async (): Promise<boolean | undefined> => {
    const said = await server.agent(["observe"]);
    return observationSchema.parse(JSON.parse(said.stdout)).tls.clientCa;
  };
  /** The CA of clients, with a certificate for ada in the agent's container. */
  const makeClient = async (): Promise<string> =>
    script(`req="openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc"
      $req -keyout clients.key -out clients.crt -subj /CN=clients -days 9 2>/dev/null
      $req -CA clients.crt -CAkey clients.key -keyout ada.key -out ada.crt -subj /CN=ada.lovelace -days 9 \\
        -addext basicConstraints=critical,CA:FALSE 2>/dev/null
      chmod 600 ada.key; cat clients.crt`);

  test("lets clients in by their certificates and a user name map", async () => {
    const clientCa = await makeClient();
    const { ca } = await apply();
    expect(await observed()).toBe(false);
    expect(await apply({ clientCa })).toMatchObject({
      changed: true,
      reason: "the CA of client certificates was changed",
    });
    expect(await apply({ clientCa })).toMatchObject({ changed: false });
    expect(await observed()).toBe(true);
    const text = hba("hostssl all visitor all cert map=people", "host all all all scram-sha-256");
    const maps = "people ada.lovelace visitor\n";
    const rules = { server: server.name, text, required: [] };
    expect(await server.agent(["pg-hba"], { ...rules, maps })).toMatchObject({ status: 0 });
    const withKey = `${verify()} sslcert=/tmp/ada.crt sslkey=/tmp/ada.key`;
    expect(await psql(ca, withKey)).toMatch(/^t\|/);
    expect(await psql(ca, `${verify()} sslcert=/tmp/none`)).toContain(
      "connection requires a valid client certificate",
    );
    // A reload that changes the maps alone.
    const others = { ...rules, maps: "people somebody visitor\n" };
    expect(await server.agent(["pg-hba"], others)).toMatchObject({ status: 0 });
    expect(await psql(ca, withKey)).toContain("certificate authentication failed");
    const wrong = await server.agent(["pg-hba"], { ...rules, maps: "people /^( visitor\n" });
    expect(wrong.status).toBe(1);
    expect(wrong.stderr).toMatch(
      /was not changed: PostgreSQL rejects 1 line\n  line 1   invalid regular expression .*\n  fix      correct pgHba\.maps in the stack file/,
    );
    expect((await server.run(["cat", `${dataFolder}/pg_ident.conf`])).stdout).toBe(others.maps);
    const usual = { ...rules, text: hba("host all all all scram-sha-256"), maps: "" };
    expect(await server.agent(["pg-hba"], usual)).toMatchObject({ status: 0 });
  });

  test("that somebody changes is seen and put back; without it PostgreSQL asks for no certificate", async () => {
    const clientCa = await makeClient();
    await apply({ clientCa });
    await server.output(["sh", "-c", `tee -a ${dataFolder}/tls/*/client-ca.crt </tmp/ada.crt`]);
    expect(await observed()).toBe(false);
    expect(await apply({ clientCa })).toMatchObject({ changed: true });
    expect(await observed()).toBe(true);
    expect(await apply()).toMatchObject({ changed: true });
    expect(await server.sql("postgres", "SHOW ssl_ca_file")).toBe("");
  });

  test("that is none is refused with the reason", async () => {
    const { certificate } = await foreign("x");
    expect((await ask({ clientCa: certificate })).stderr).toBe(
      "tls.clientCa has the certificate of CN=x, which is no CA; set it to the certificate of the CA that signs client certificates\n",
    );
    const broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    expect((await ask({ clientCa: broken })).stderr).toBe(
      "tls.clientCa cannot be read: it must be one or more CA certificates in PEM\n",
    );
  });
});

test("requests of another server and for odd names are refused", async () => {
  const { stderr } = await server.agent(["tls"], { server: "production", names: ["localhost"] });
  expect(stderr).toMatch(/^the request is for server production, this is sct-/);
  expect((await ask({ names: ["a b"] })).stderr).toBe(`the request does not fit this agent:
✖ must be a DNS name like db.example.com, or an IP address
  → at names[0]
`);
});

test("no key is in a log, in what the engine tells, or in an answer", async () => {
  const given = await foreign(server.postgres);
  const said = await ask({ ...given, names: [server.postgres] });
  const own = await ask();
  const keys = [given.key, await script(`cat /var/lib/stagecraft/tls/authority/ca.key`)].concat(
    await script(`cat ${dataFolder}/tls/*/server.key`),
  );
  const places = [
    ...[said.stdout, said.stderr, own.stdout, own.stderr],
    await docker("inspect", server.postgres, server.agentContainer),
    await docker("logs", server.agentContainer),
    (await agentErrors()) + (await postgresLog()),
  ].join("\n");
  for (const key of keys) {
    const [, line = ""] = key.split("\n");
    expect(line.length).toBeGreaterThan(40);
    expect(places).not.toContain(line);
  }
});

const day = (away: number): string =>
  new Date(Date.now() + away * 86_400_000).toISOString().slice(0, 10);

/** stderr of the agent's main process. */
async function agentErrors(): Promise<string> {
  return containerErrors(server.agentContainer);
}

async function postgresLog(): Promise<string> {
  return containerErrors(server.postgres);
}

async function containerErrors(container: string): Promise<string> {
  return (await execa("docker", ["logs", container])).stderr;
}
