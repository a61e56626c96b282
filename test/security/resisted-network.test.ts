import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ownDatabase } from "../../agent/postgres/own-database";
import { serverKinds } from "../../model/base/names";
import { plainDump } from "../support/databases/shop";
import { docker, label } from "../support/servers/server";
import { applyPreset, useStackServer } from "../support/servers/stack-server";
import { until } from "../support/time/until";

const password = "of the application";
const database = "shop";
const server = useStackServer({ kind: "production", database, application: password });
const login = { user: database, password, database };

/** Runs a shell script in the agent's container: what it prints, errors too. */
async function script(text: string): Promise<string> {
  const { stdout, stderr } = await server.run(["bash", "-c", text]);
  return stdout + stderr;
}

const addressOf = async (container: string): Promise<string> =>
  docker(
    "inspect",
    "--format",
    "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}",
    container,
  );

const from = 'host "[\\d.]+"';

beforeAll(async () => {
  const dump = Buffer.from(
    plainDump("CREATE TABLE public.t (id int);\nCOPY public.t FROM stdin;\n\\.\n"),
  );
  const { result } = await server.restore({ database, dump, mode: "when missing" });
  expect(result.result, result.text).toBe("restored");
});

describe("production", () => {
  test("lets the application in with its password and TLS, and nobody without", async () => {
    expect((await server.as({ ...login, options: "sslmode=require" }, "SELECT 1")).stdout).toBe(
      "1\n",
    );
    expect((await server.as({ ...login, options: "sslmode=disable" }, "SELECT 1")).stderr).toMatch(
      new RegExp(`no pg_hba.conf entry for ${from}, user "shop", database "shop", no encryption`),
    );
    expect((await server.as({ ...login, password: "another" }, "SELECT 1")).stderr).toContain(
      'FATAL:  password authentication failed for user "shop"',
    );
    expect((await server.as({ ...login, password: "" }, "SELECT 1")).stderr).toContain(
      "password authentication failed for user",
    );
  });

  test.each(["postgres", "template0", "template1", "shop__incoming", ownDatabase])(
    "lets the application into no other database: %s",
    async (other) => {
      const { stderr } = await server.as({ ...login, database: other }, "SELECT 1");
      expect(stderr).toMatch(
        new RegExp(
          `FATAL: {2}no pg_hba.conf entry for ${from}, user "shop", database "${other}", SSL encryption`,
        ),
      );
    },
  );

  test("lets nobody replicate", async () => {
    const { stderr } = await server.as(
      { ...login, options: "replication=true" },
      "IDENTIFY_SYSTEM",
    );
    expect(stderr).toMatch(
      /FATAL: {2}(?:no pg_hba.conf entry for replication connection|permission denied to start WAL sender)/,
    );
  });
});

/** What a server's handshake ends with when the client offers one version of TLS, and ciphers however weak. */
const handshake = async (version: string): Promise<string> =>
  script(
    `openssl s_client -starttls postgres -connect ${server.postgres}:5432 -${version} -cipher 'ALL:@SECLEVEL=0' < /dev/null`,
  );

describe("TLS", () => {
  test.each(["tls1", "tls1_1"])(
    "of a version before 1.2 is rejected by PostgreSQL: %s",
    async (version) => {
      expect(await handshake(version)).toContain("alert protocol version");
    },
  );

  test("of version 1.2 is not, with the same client", async () => {
    expect(await handshake("tls1_2")).toMatch(/^New, TLSv1.2, Cipher is ECDHE/m);
  });

  const certificate = async (file: string): Promise<string> =>
    script(`openssl x509 -noout -text -in ${file}`);

  test("has a certificate of P-256 and SHA-256 for the server's names", async () => {
    const text = await certificate("/var/lib/postgresql/data/pgdata/tls/*/server.crt");
    expect(text).toContain("Signature Algorithm: ecdsa-with-SHA256");
    expect(text).toContain("NIST CURVE: P-256");
    expect(text).toMatch(/X509v3 Basic Constraints: critical\s+CA:FALSE/);
    expect(text).toMatch(/X509v3 Key Usage: critical\s+Digital Signature\n/);
    expect(text).toMatch(/X509v3 Extended Key Usage: ?\s+TLS Web Server Authentication\n/);
    expect(text).toContain(
      `DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1, DNS:${server.postgres}\n`,
    );
  });

  test("has an authority of ten years that signs certificates of servers alone", async () => {
    const file = "/var/lib/stagecraft/tls/authority/ca.crt";
    const text = await certificate(file);
    expect(text).toContain("Signature Algorithm: ecdsa-with-SHA256");
    expect(text).toMatch(/X509v3 Basic Constraints: critical\s+CA:TRUE, pathlen:0\n/);
    expect(text).toMatch(/X509v3 Key Usage: critical\s+Certificate Sign, CRL Sign\n/);
    const [start = "", end = ""] = (await script(`openssl x509 -noout -dates -in ${file}`))
      .trim()
      .split("\n")
      .map((line) => line.replace(/^\w+=/, ""));
    const years = (Date.parse(end) - Date.parse(start)) / (365.25 * 86_400_000);
    expect(years).toBeCloseTo(10, 1);
  });
});

describe("a container of another stack", () => {
  const network = `${server.prefix}-other`;
  const image = async (): Promise<string> =>
    docker("inspect", "--format", "{{.Config.Image}}", server.postgres);

  const attempts = 5;

  /** How many of five attempts of a container in a network connect to a port of another one within seconds. */
  async function connections(
    own: string,
    container: string,
    port: number,
    seconds: number,
  ): Promise<number> {
    const attempt = `timeout ${seconds} bash -c ': < /dev/tcp/${await addressOf(container)}/${port}' 2> /dev/null && echo open || echo closed`;
    const run = ["run", "--rm", "--network", own, "--entrypoint", "bash", await image()];
    const script = `for i in {1..${attempts}}; do ${attempt}; done`;
    const results = (await docker(...run, "-c", script)).split("\n");
    expect(results).toHaveLength(attempts);
    return results.filter((result) => result === "open").length;
  }

  /** Ids of the networks that were created on the machine from then until now, or are just being created. */
  async function createdNetworks(since: number): Promise<string> {
    const span = ["--since", `${since / 1000 - 2}`, "--until", `${Date.now() / 1000 + 2}`];
    const which = ["--filter", "type=network", "--filter", "event=create"];
    return docker("events", ...span, ...which, "--format", "{{.Actor.ID}}");
  }

  beforeAll(async () =>
    docker("network", "create", "--label", `${label}=${server.prefix}`, network),
  );
  afterAll(async () => docker("network", "rm", network));

  test.each([
    ["PostgreSQL", () => server.postgres, 5432],
    ["the metrics", () => server.agentContainer, 9187],
  ] as const)("does not reach %s, which one of the same stack does", async (_, container, port) => {
    expect(await connections(server.resourcePrefix, container(), port, 5)).toBe(attempts);
    const started = Date.now();
    // Less than a second is one packet.
    const open = await connections(network, container(), port, 0.9);
    // Docker 20.10 takes its isolation away for an instant when anybody on the machine creates a network: another test may.
    expect(open).toBeLessThanOrEqual((await createdNetworks(started)) === "" ? 0 : 1);
  });
});

describe("the agent's port for metrics", () => {
  const status = async (method: string, path: string): Promise<string> =>
    script(
      `node -e 'require("node:http").request({ host: "${server.agentContainer}", port: 9187, method: "${method}", path: "${path}" }, (r) => { console.log(r.statusCode); r.resume(); }).end()'`,
    );

  test("answers GET /metrics", async () => {
    expect(await status("GET", "/metrics")).toBe("200\n");
  });

  test.each([
    ["POST", "/metrics"],
    ["PUT", "/metrics"],
    ["DELETE", "/metrics"],
    ["GET", "/"],
    ["GET", "/metrics/"],
    ["GET", "/metrics/../state.json"],
    ["GET", "//metrics"],
    ["GET", "/../../var/lib/stagecraft/state.json"],
    ["GET", "/metrics%2f..%2fstate.json"],
  ])("answers nothing else: %s %s", async (method, path) => {
    expect(await status(method, path)).toBe("404\n");
  });
});

describe.each(serverKinds)("with the rules of %s", (kind) => {
  beforeAll(async () => applyPreset(server, kind, database));

  test.each(["sslmode=require", "sslmode=disable"])(
    "the superuser does not come in over the network: %s",
    async (options) => {
      const superuser = { user: "postgres", password: "anything", database: "postgres", options };
      expect((await server.as(superuser, "SELECT 1")).stderr).toMatch(
        new RegExp(`FATAL: {2}pg_hba.conf rejects connection for ${from}, user "postgres"`),
      );
    },
  );
});

describe("where the rules let everybody into every database, its rights do not:", () => {
  beforeAll(async () => applyPreset(server, "development", database));

  test.each([
    ["postgres", 'permission denied for database "postgres"'],
    ["template0", 'database "template0" is not currently accepting connections'],
    ["template1", 'permission denied for database "template1"'],
    [ownDatabase, `permission denied for database "${ownDatabase}"`],
  ])("%s", async (other, text) => {
    expect((await server.as({ ...login, database: other }, "SELECT 1")).stderr).toContain(
      `FATAL:  ${text}`,
    );
  });

  test("the candidate of a restore that runs", async () => {
    const dump = Buffer.from(plainDump("SELECT pg_sleep(3600);"));
    const restoring = server.restore({ database: "late", dump });
    const sleeper =
      "FROM pg_stat_activity WHERE datname = 'late__incoming' AND wait_event = 'PgSleep'";
    await until(
      "the restore sleeps",
      async () => (await server.sql("postgres", `SELECT count(*) ${sleeper}`)) === "1",
    );
    const { stderr } = await server.as({ ...login, database: "late__incoming" }, "SELECT 1");
    await server.sql("postgres", `SELECT pg_terminate_backend(pid) ${sleeper}`);
    expect((await restoring).result.result).toBe("failed");
    expect(stderr).toMatch(
      /FATAL: {2}(?:permission denied for|too many connections for) database "late__incoming"/,
    );
  });
});
