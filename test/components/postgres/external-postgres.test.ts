import * as pulumi from "@pulumi/pulumi";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import {
  BackupSchedule,
  Database,
  ExternalPostgres,
  type Dump,
  type ExternalPostgresArgs,
  type SshArgs,
  type BackupScheduleArgs,
} from "../../../components";
import { sha256 } from "../../../components/engine/digest";
import { observeServer, type ObservedState } from "../../../components/engine/server-state";
import { placeScript, settleScript } from "../../../components/access/remote-pg-hba";
import type { Observation } from "../../../model/observation/observation";
import { externalRules, type ExternalAccess } from "../../../model/pg-hba/judge/external-rules";
import { parsePgHba } from "../../../model/pg-hba/text/parse";
import { renderManagedFile } from "../../../model/pg-hba/text/managed-file";
import { findResource, register, valueOf } from "../../support/components/mocks";
import { observation } from "../../support/components/server-observation";

const source = { name: "timesheets.sql", sha256: "a".repeat(64) };
const dump: Dump = { path: "dumps/timesheets.sql", isFolder: false, source };
const passwords = { application: "the first", readonly: "the second", monitor: "the third" };
const args: ExternalPostgresArgs = {
  kind: "production",
  address: { host: "db.example.com" },
  superuser: { name: "the boss", password: "of the boss" },
  roles: { database: "timesheets", passwords },
};
const ssh: SshArgs = {
  host: "db.example.com",
  user: "postgres",
  privateKey: "a private key",
  hostKey: "ssh-ed25519 AAAAC3Nza",
};
const declared: ExternalAccess = {
  ...{ kind: "production", superuser: "the boss", agent: "samenet", tls: true },
  ...{ database: "timesheets", application: "samenet" },
};
const file = renderManagedFile(externalRules(declared), sha256, "host");

const external =
  (more: Partial<ExternalPostgresArgs> = {}) =>
  (): ExternalPostgres => {
    const server = new ExternalPostgres("warehouse", { ...args, ...more });
    new Database("timesheets", { server, contents: dump, mode: "when missing" });
    return server;
  };

const reached = {
  ...{ host: "db.example.com", port: 5432, user: "the boss", postgres: "17.11" },
  ...{ hbaFile: "/etc/postgresql/17/main/pg_hba.conf", clientAddress: "192.0.2.7" },
  dataDirectory: "/var/lib/postgresql/17/main",
};

/** What the agent sees: these rules over there, and itself connected. */
function see(text: string | undefined, more: Partial<Observation> = {}): void {
  const made = { network: "then", postgres: "", agent: "then", scratch: "then" };
  const observed: ObservedState = { createdAt: made, faults: [], observation: undefined };
  if (text === undefined) return void vi.mocked(observeServer).mockResolvedValue(observed);
  const seen: Observation = {
    ...observation({ sha256: source.sha256, restoreId: "x" }),
    ...{ freeBytes: null, connection: reached, pgHba: { text, sha256: sha256(text) } },
    ...{ generations: { connection: 4, roles: 2, "pg-hba": 3 } },
    ...more,
  };
  vi.mocked(observeServer).mockResolvedValue({ ...observed, observation: seen });
}

const told = (what: "info" | "warn"): string[] =>
  vi.mocked(pulumi.log[what]).mock.calls.map(([text]) => text);

beforeEach(() => {
  vi.spyOn(pulumi.log, "info").mockResolvedValue();
  vi.spyOn(pulumi.log, "warn").mockResolvedValue();
  see(undefined);
});
afterEach(() => {
  vi.restoreAllMocks();
});

describe("the backups of a server elsewhere", () => {
  const withBackups =
    (more: Partial<BackupScheduleArgs> = {}) =>
    () =>
      new BackupSchedule("warehouse-backups", { server: external()(), ...more });

  test("are made by its agent's schedule, and nothing is archived", async () => {
    see(undefined);
    const { resources } = await register(withBackups());
    const { inputs } = findResource(resources, "warehouse-backups", "Command");
    expect(JSON.parse(inputs["stdin"] as string)).toMatchObject({
      server: "warehouse",
      jobs: { nightly: { schedule: "29 3 * * *" } },
    });
    expect(resources.map(({ name }) => name)).not.toContain("warehouse-backups-archive");
  });

  test("cannot be of any moment", async () => {
    see(undefined);
    let told: unknown;
    await register(() => {
      try {
        return withBackups({ pointInTime: {} })();
      } catch (error) {
        told = error;
        return undefined;
      }
    });
    expect(String(told)).toContain(
      'BackupSchedule "warehouse-backups": pointInTime is for servers that Stagecraft makes; leave it out, or archive on the other server itself',
    );
  });
});

describe("a server elsewhere", () => {
  test("is an agent, the way to it and its roles, and no PostgreSQL", async () => {
    const { resources } = await register(external());
    expect(resources.map(({ type, name, parent }) => [type, name, parent])).toEqual([
      ["command:local:Command", "timesheets-restore", "timesheets"],
      ["command:local:Command", "warehouse-connection", "warehouse"],
      ["command:local:Command", "warehouse-image", "warehouse"],
      ["command:local:Command", "warehouse-roles", "warehouse"],
      ["docker:index/container:Container", "warehouse-agent", "warehouse"],
      ["docker:index/container:Container", "warehouse-scratch", "warehouse"],
      ["docker:index/network:Network", "warehouse-network", "warehouse"],
      ["docker:index/volume:Volume", "warehouse-agent", "warehouse"],
      ["docker:index/volume:Volume", "warehouse-backups", "warehouse"],
      ["docker:index/volume:Volume", "warehouse-scratch", "warehouse"],
      ["stagecraft:index:Database", "timesheets", ""],
      ["stagecraft:index:ExternalPgHba", "warehouse-pg-hba", "warehouse"],
      ["stagecraft:index:ExternalPostgres", "warehouse", ""],
    ]);
    expect(findResource(resources, "warehouse-roles").dependsOn).toContain("warehouse-connection");
    expect(findResource(resources, "timesheets-restore").dependsOn).toContain("warehouse-roles");
  });

  test("has an agent with nothing but its own volumes", async () => {
    const { resources } = await register(external());
    expect(findResource(resources, "warehouse-agent", "Container").inputs).toMatchObject({
      logDriver: "json-file",
      logOpts: { "max-size": "10m", "max-file": "3" },
      name: "stagecraft-warehouse-agent",
      command: ["stagecraft-agent", "serve"],
      envs: [
        ...["STAGECRAFT_SERVER=warehouse", "STAGECRAFT_KIND=production"],
        "STAGECRAFT_COUPLING=external",
      ],
      volumes: [
        { volumeName: "stagecraft-warehouse-agent", containerPath: "/var/lib/stagecraft" },
        { volumeName: "stagecraft-warehouse-backups", containerPath: "/var/backups/stagecraft" },
        {
          volumeName: "stagecraft-warehouse-scratch",
          containerPath: "/var/lib/scratch",
          readOnly: true,
        },
      ],
      ...{ readOnly: true, capabilities: { drops: ["ALL"] } },
      securityOpts: ["no-new-privileges"],
    });
  });

  test("has its password on stdin alone, as a secret", async () => {
    const { resources } = await register(external());
    const { inputs } = findResource(resources, "warehouse-connection");
    expect(JSON.parse((inputs["stdin"] as { secret: string }).secret)).toEqual({
      ...{ server: "warehouse", host: "db.example.com", port: 5432 },
      ...{ user: "the boss", password: "of the boss", sslmode: "verify-full" },
    });
    expect(inputs).toMatchObject({
      create: 'exec docker exec -i "$AGENT" stagecraft-agent connection "$GENERATION"',
      environment: {
        AGENT: "stagecraft-warehouse-agent",
        AGENT_ID: "id-of-warehouse-agent for db.example.com:5432",
        POSTGRES_ID: "db.example.com:5432",
        GENERATION: "1",
      },
    });
    const withoutStdin = resources.map(({ inputs: { stdin: _, ...others } }) => others);
    expect(JSON.stringify(withoutStdin)).not.toContain("of the boss");
  });

  test("gives out the text of its pg_hba.conf, and says where it goes", async () => {
    see("local all all peer\n");
    const { made } = await register(external());
    expect(await valueOf(made.pgHba)).toBe(file);
    expect(
      file
        .split("\n")
        .slice(2)
        .map((line) => line.replaceAll(/ +/g, " ")),
    ).toEqual([
      "# TYPE DATABASE USER ADDRESS METHOD",
      "local all all peer",
      'hostssl all "the boss",/^stagecraft_session_ samenet scram-sha-256',
      'host all postgres,"the boss" all reject',
      "hostssl timesheets timesheets,timesheets_readonly samenet scram-sha-256",
      "hostssl all stagecraft_monitor samenet scram-sha-256",
      "",
    ]);
    expect(told("info")[0]).toBe(
      "pg_hba.conf of warehouse differs from the stack, and without ssh Stagecraft cannot change it; copy the output pgHba to /etc/postgresql/17/main/pg_hba.conf on that machine, then run: SELECT pg_reload_conf()",
    );
    expect(told("info")[1]).toMatch(/^pg_hba of warehouse\n/);
  });

  test("says nothing, and does nothing again, when all is as wanted", async () => {
    see(file);
    const { resources } = await register(external());
    expect([...told("info"), ...told("warn")]).toEqual([]);
    expect(findResource(resources, "warehouse-connection").inputs["environment"]).toMatchObject({
      GENERATION: "4",
    });
    expect(findResource(resources, "warehouse-roles").inputs["environment"]).toMatchObject({
      GENERATION: "2",
    });
  });

  test("is another server at another address, whatever the agent sees of the first", async () => {
    see(file);
    const { resources } = await register(external({ address: { host: "other.example.com" } }));
    expect(findResource(resources, "timesheets-restore").inputs["environment"]).toMatchObject({
      RESTORE_ID: "aaaaaaaaaaaa-1",
      AGENT_ID: "id-of-warehouse-agent for other.example.com:5432",
    });
  });

  test("takes a method of PostgreSQL 18, and names it as an error when the server is older", async () => {
    const error = vi.spyOn(pulumi.log, "error").mockResolvedValue();
    const { rules: found } = parsePgHba(
      'hostssl timesheets +staff 10.30.0.0/16 oauth issuer="https://sso.example.com" scope=openid',
      { version: 18 },
    );
    const rules = [...externalRules(declared), ...found];
    see(file, { postgresVersion: "18.4" });
    await register(external({ pgHba: { rules } }));
    expect(error.mock.calls).toEqual([]);
    see(file, { postgresVersion: "17.5" });
    await register(external({ pgHba: { rules } }));
    expect(error.mock.calls.map(([text]) => text)).toEqual([
      expect.stringMatching(
        /^ExternalPgHba "warehouse-pg-hba": hostssl timesheets \+staff .*: oauth needs PostgreSQL 18, this is 17; use another method$/,
      ),
    ]);
  });

  test("shows the access that included files give and that is lost", async () => {
    const path = "/etc/postgresql/17/main/pg_hba.conf";
    const included = {
      path,
      files: {
        "/etc/postgresql/17/main/hba.d/10-app.conf":
          "hostssl timesheets timesheets_readonly 192.0.2.0/24 scram-sha-256\n",
      },
      folders: { "/etc/postgresql/17/main/hba.d": ["10-app.conf"] },
    };
    const text = "local all all trust\ninclude_dir hba.d\n";
    see(text, { pgHba: { text, sha256: sha256(text), included }, postgresVersion: "17.5" });
    await register(external());
    expect(told("info").join("\n")).toMatch(/▼ loses access: readonly from 192\.0\.2\.0\/24/);
  });

  test("tells of drift in its roles", async () => {
    const roles = {
      ...{ faults: [], missing: [], superusers: ["eve"], rights: [], logins: [] },
      recorded: true,
    };
    see(file, { roles });
    await register(external());
    expect(told("warn")).toEqual([
      'role eve is a superuser that Stagecraft does not manage; to change that: ALTER ROLE "eve" NOSUPERUSER',
    ]);
  });

  test.each<[Partial<ExternalPostgresArgs>, string]>([
    [
      { address: { host: "localhost", port: 70_000 } },
      'ExternalPostgres "warehouse".address.host must not be a loopback or wildcard address, which is the agent\'s own container there; use the machine\'s address in its network, e.g. of its Docker bridge, 172.17.0.1, got "localhost"\nExternalPostgres "warehouse".address.port must be a port from 1 to 65535, got 70000',
    ],
    [
      { ssh: { ...ssh, hostKey: "db.example.com ssh-ed25519 AAAAC3Nza" } },
      'ExternalPostgres "warehouse".ssh.hostKey must be a public key like "ssh-ed25519 AAAA…", without a host name before it, got "db.example.com ssh-ed25519 AAAAC3Nza"',
    ],
    [
      { pgHba: { rules: [{ type: "local", databases: ["all"], users: ["all"], method: "peer" }] } },
      'ExternalPgHba "warehouse-pg-hba": the agent (the boss to postgres from samenet with TLS) is locked out: no rule matches; add "hostssl postgres \\"the boss\\" samenet scram-sha-256"',
    ],
  ])("is refused with %j", async (more, text) => {
    const program = register(external(more));
    await expect(program).rejects.toThrow(text.replaceAll('\\"', '"'));
  });
});

describe("with SSH", () => {
  test("the file is checked, put in place, tried and settled, in this order", async () => {
    see("local all all peer\n");
    const { resources } = await register(external({ ssh }));
    const steps = ["-check", "-place", "-try", ""].map((step) =>
      findResource(resources, `warehouse-pg-hba${step}`, "Command"),
    );
    expect(steps.map(({ type, name }) => [type, name])).toEqual([
      ["command:local:Command", "warehouse-pg-hba-check"],
      ["command:remote:Command", "warehouse-pg-hba-place"],
      ["command:local:Command", "warehouse-pg-hba-try"],
      ["command:remote:Command", "warehouse-pg-hba"],
    ]);
    const [check, place, tried, settle] = steps;
    expect(check?.dependsOn).toContain("warehouse-roles");
    expect(place?.dependsOn).toContain("warehouse-pg-hba-check");
    expect(tried?.dependsOn).toContain("warehouse-pg-hba-place");
    expect(settle?.dependsOn).toContain("warehouse-pg-hba-try");
    const where = "/etc/postgresql/17/main/pg_hba.conf\n/var/lib/postgresql/17/main\n";
    expect(place?.inputs).toMatchObject({ create: placeScript, stdin: `${where}4\n${file}` });
    // Put there anew, it is tried anew and settled anew.
    const moment = "20261122T091400.000000000Z";
    expect(tried?.inputs["environment"]).toMatchObject({ PLACED: moment, GENERATION: "4" });
    expect(settle?.inputs).toMatchObject({
      create: settleScript,
      stdin: `${where}${moment}\nkeep\n\n`,
    });
    const { server, text, required } = JSON.parse(check?.inputs["stdin"] as string) as {
      server: string;
      text: string;
      required: { name: string; over: string; method: string }[];
    };
    expect({ server, text }).toEqual({ server: "warehouse", text: file });
    expect(required.map(({ name, over, method }) => [name, over, method])).toEqual([
      ["the agent's restricted logins", "tls", "scram-sha-256"],
      ["the application", "tls", "scram-sha-256"],
      ["reports", "tls", "scram-sha-256"],
      ["monitoring", "tls", "scram-sha-256"],
    ]);
  });

  test("the host key is pinned, and the private key a secret like all of the connection", async () => {
    const { resources } = await register(external({ ssh }));
    expect(findResource(resources, "warehouse-pg-hba-place").inputs["connection"]).toEqual({
      secret: {
        ...{ host: "db.example.com", port: 22, user: "postgres" },
        ...{ hostKey: "ssh-ed25519 AAAAC3Nza", privateKey: "a private key" },
        ...{ dialErrorLimit: 3, perDialTimeout: 10 },
      },
    });
  });

  test("an edit by hand is told of and taken back", async () => {
    see(`${file}host all all 0.0.0.0/0 trust\n`);
    const { resources } = await register(external({ ssh }));
    expect(told("warn")).toEqual([
      "pg_hba.conf of warehouse was edited manually; the next up overwrites the change",
    ]);
    expect(findResource(resources, "warehouse-pg-hba-check").inputs["environment"]).toMatchObject({
      GENERATION: "4",
    });
  });
});
