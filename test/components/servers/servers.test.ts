import * as pulumi from "@pulumi/pulumi";
import { beforeEach, describe, expect, test, vi } from "vitest";
import {
  backupContents,
  offsiteContents,
  BackupSchedule,
  DevelopmentServer,
  PostgresServer,
  ProductionServer,
  StagingServer,
  type Dump,
} from "../../../components";
import { inspectContainer } from "../../../components/engine/server-state";
import { findResource, register, valueOf, type Registered } from "../../support/components/mocks";
import { mockObservedServer, observation } from "../../support/components/server-observation";

const sha256 = "a".repeat(64);
const dump: Dump = {
  path: "dumps/timesheets.sql",
  isFolder: false,
  source: { name: "timesheets.sql", sha256, backup: "20261115T032900Z", server: "production" },
};
const passwords = {
  application: "keep this to yourself",
  readonly: "this as well",
  monitor: "and this one",
  ada: "of ada's own",
};
const people = { ada: "DbAdmin", bob: "CI" } as const;
const common = { postgres: { port: 15432, memory: "1 GB" }, passwords, people };

const development = (): DevelopmentServer =>
  new DevelopmentServer("dev", {
    ...common,
    database: { name: "timesheets", refreshFrom: dump },
  });
const production = (): ProductionServer =>
  new ProductionServer("prod", {
    ...common,
    database: { name: "timesheets", recoverFrom: dump },
  });

beforeEach(() => {
  mockObservedServer(undefined);
});

const crashesOnly = ["archive_mode=off", "wal_level=minimal", "max_wal_senders=0"];

describe("a development server", () => {
  test("is exactly these resources, each below its own component", async () => {
    const { resources } = await register(development);
    expect(resources.map(({ type, name, parent }) => [type, name, parent])).toEqual([
      ["command:local:Command", "dev-backups", "dev-backups"],
      ["command:local:Command", "dev-backups-archive", "dev-backups"],
      ["command:local:Command", "dev-image", "dev"],
      ["command:local:Command", "dev-pg-hba", "dev-pg-hba"],
      ["command:local:Command", "dev-roles", "dev"],
      ["command:local:Command", "dev-settings", "dev"],
      ["command:local:Command", "dev-tls", "dev"],
      ["command:local:Command", "timesheets-restore", "timesheets"],
      ["docker:index/container:Container", "dev-agent", "dev"],
      ["docker:index/container:Container", "dev-postgres", "dev"],
      ["docker:index/container:Container", "dev-scratch", "dev"],
      ["docker:index/network:Network", "dev-network", "dev"],
      ["docker:index/volume:Volume", "dev-agent", "dev"],
      ["docker:index/volume:Volume", "dev-archive", "dev"],
      ["docker:index/volume:Volume", "dev-backups", "dev"],
      ["docker:index/volume:Volume", "dev-data", "dev"],
      ["docker:index/volume:Volume", "dev-run", "dev"],
      ["docker:index/volume:Volume", "dev-scratch", "dev"],
      ["stagecraft:index:BackupSchedule", "dev-backups", "dev"],
      ["stagecraft:index:Database", "timesheets", "dev"],
      ["stagecraft:index:DevelopmentServer", "dev", ""],
      ["stagecraft:index:PgHba", "dev-pg-hba", "dev"],
      ["stagecraft:index:PostgresServer", "dev", "dev"],
    ]);
  });

  test("has PostgreSQL in a container that is stopped gently and reached from this machine alone", async () => {
    const { resources } = await register(development);
    expect(findResource(resources, "dev-postgres").inputs).toEqual({
      name: "stagecraft-dev-postgres",
      image: "stagecraft-server:0123456789ab",
      command: [
        ...["stagecraft-postgres", "shared_buffers=256MB", "effective_cache_size=768MB"],
        ...["work_mem=4MB", "maintenance_work_mem=64MB", "max_worker_processes=3"],
        ...["max_wal_size=2048MB", ...crashesOnly],
        ...["log_line_prefix=%m [%p] %quser=%u,db=%d,client=%h ", "log_lock_waits=on"],
      ],
      envs: ["STAGECRAFT_SERVER=dev"],
      labels: [
        { label: "stagecraft.project", value: "stagecraft" },
        { label: "stagecraft.server", value: "dev" },
        { label: "stagecraft.made", value: "then" },
      ],
      networksAdvanced: [{ name: "stagecraft-dev" }],
      ports: [{ internal: 5432, external: 15432, ip: "127.0.0.1" }],
      volumes: [
        { volumeName: "stagecraft-dev-data", containerPath: "/var/lib/postgresql/data" },
        { volumeName: "stagecraft-dev-run", containerPath: "/run/postgresql" },
        { volumeName: "stagecraft-dev-archive", containerPath: "/var/lib/pgbackrest" },
      ],
      memory: 1024,
      memorySwap: 2048,
      shmSize: 256,
      stopSignal: "SIGINT",
      stopTimeout: 120,
      destroyGraceSeconds: 120,
      restart: "always",
      readOnly: true,
      tmpfs: { "/tmp": "" },
      capabilities: { drops: ["ALL"] },
      securityOpts: ["no-new-privileges"],
      ulimits: [{ name: "nproc", soft: 4096, hard: 4096 }],
      logDriver: "json-file",
      logOpts: { "max-size": "20m", "max-file": "10" },
      removeVolumes: false,
      healthcheck: {
        tests: ["CMD", "pg_isready", "-q", "-h", "/run/postgresql"],
        interval: "10s",
        timeout: "5s",
        retries: 3,
        startPeriod: "1m0s",
      },
    });
  });

  test("has an agent that publishes no port and sees its volumes", async () => {
    const { resources } = await register(development);
    const { inputs } = findResource(resources, "dev-agent", "Container");
    expect(inputs).toMatchObject({
      command: ["stagecraft-agent", "serve"],
      envs: [
        "STAGECRAFT_SERVER=dev",
        "STAGECRAFT_KIND=development",
        "STAGECRAFT_POSTGRES_HOST=stagecraft-dev-postgres",
      ],
      volumes: [
        { volumeName: "stagecraft-dev-data", containerPath: "/var/lib/postgresql/data" },
        { volumeName: "stagecraft-dev-run", containerPath: "/run/postgresql" },
        { volumeName: "stagecraft-dev-archive", containerPath: "/var/lib/pgbackrest" },
        { volumeName: "stagecraft-dev-agent", containerPath: "/var/lib/stagecraft" },
        { volumeName: "stagecraft-dev-backups", containerPath: "/var/backups/stagecraft" },
        {
          volumeName: "stagecraft-dev-scratch",
          containerPath: "/var/lib/scratch",
          readOnly: true,
        },
      ],
      capabilities: { drops: ["ALL"] },
      readOnly: true,
      memory: 1024,
      cpuShares: 256,
      ulimits: [{ name: "nproc", soft: 4096, hard: 4096 }],
      logDriver: "json-file",
      logOpts: { "max-size": "10m", "max-file": "3" },
    });
    expect(inputs).not.toHaveProperty("ports");
  });

  test("has a container for checks and verifications with another user, no network and no volume but its own", async () => {
    const { resources } = await register(development);
    const { inputs } = findResource(resources, "dev-scratch", "Container");
    expect(inputs).toMatchObject({
      command: ["stagecraft-agent", "scratch"],
      user: "scratch",
      networkMode: "none",
      volumes: [{ volumeName: "stagecraft-dev-scratch", containerPath: "/var/lib/scratch" }],
      readOnly: true,
      capabilities: { drops: ["ALL"] },
      securityOpts: ["no-new-privileges"],
    });
    expect(inputs).not.toHaveProperty("networksAdvanced");
    expect(inputs).not.toHaveProperty("ports");
  });

  test("hands the passwords over as a secret on stdin, and nowhere else", async () => {
    const { resources } = await register(development);
    const roles = findResource(resources, "dev-roles");
    expect(roles.inputs["stdin"]).toEqual({
      secret: JSON.stringify({
        ...{ server: "dev", kind: "development" },
        databases: [
          {
            name: "timesheets",
            application: passwords.application,
            readonly: passwords.readonly,
          },
        ],
        monitor: passwords.monitor,
        people: [{ name: "ada", role: "DbAdmin", password: passwords.ada }],
      }),
    });
    const others = resources.map((resource) =>
      resource === roles ? { ...resource, inputs: { ...roles.inputs, stdin: "" } } : resource,
    );
    for (const password of Object.values(passwords))
      expect(JSON.stringify(others)).not.toContain(password);
  });

  test("makes its roles again when one of its containers is another", async () => {
    const { resources } = await register(development);
    expect(findResource(resources, "dev-roles").inputs).toMatchObject({
      create: 'exec docker exec -i "$AGENT" stagecraft-agent roles "$GENERATION"',
      environment: {
        AGENT: "stagecraft-dev-agent",
        POSTGRES: "stagecraft-dev-postgres",
        AGENT_ID: "id-of-dev-agent",
        POSTGRES_ID: "id-of-dev-postgres",
        GENERATION: "1",
      },
      logging: "stderr",
      addPreviousOutputInEnv: false,
    });
  });

  test("restores its dump when the roles are there, every value by environment or stdin", async () => {
    const { resources } = await register(development);
    const { inputs, dependsOn } = findResource(resources, "timesheets-restore");
    const { stdin, ...others } = inputs;
    expect(dependsOn).toContain("dev-roles");
    expect(others).toEqual({
      create:
        'docker exec -i "$AGENT" stagecraft-agent receive "$SHA256" "$DATABASE" "$MODE" < "$DUMP" && exec docker exec -i "$AGENT" stagecraft-agent restore',
      environment: {
        AGENT: "stagecraft-dev-agent",
        AGENT_ID: "id-of-dev-agent",
        DATABASE: "timesheets",
        DUMP: "dumps/timesheets.sql",
        MODE: "replace",
        RESTORE_ID: "aaaaaaaaaaaa-1",
        SHA256: sha256,
      },
      logging: "stderr",
      addPreviousOutputInEnv: false,
    });
    expect(JSON.parse(stdin as string)).toEqual({
      server: "dev",
      kind: "development",
      database: "timesheets",
      source: dump.source,
      restoreId: "aaaaaaaaaaaa-1",
      mode: "replace",
      roles: "leave out",
      keepPrevious: 1,
    });
  });

  test("shows what its contents are, so that a preview shows when they change", async () => {
    const { resources } = await register(development);
    expect(findResource(resources, "timesheets").inputs).toEqual({
      dump: "timesheets.sql",
      backup: "20261115T032900Z",
      sha256,
      restoreId: "aaaaaaaaaaaa-1",
    });
  });

  test("tells the verdict", async () => {
    const { made } = await register(development);
    expect(await valueOf(made.database.verdict)).toBe("timesheets ← timesheets.sql   passed");
  });

  test("tells the report, for a stack output", async () => {
    const { made } = await register(development);
    expect(await valueOf(made.database.report)).toMatchObject({
      ...{ result: "restored", source: "timesheets.sql", steps: {} },
      text: "timesheets ← timesheets.sql   passed",
    });
  });

  test("lets a directory dump through as a tar", async () => {
    const refreshFrom = { ...dump, isFolder: true };
    const { resources } = await register(
      () => new DevelopmentServer("dev", { ...common, database: { name: "a", refreshFrom } }),
    );
    expect(findResource(resources, "a-restore").inputs["create"]).toBe(
      'tar -C "$DUMP" -cf - . | docker exec -i "$AGENT" stagecraft-agent receive "$SHA256" "$DATABASE" "$MODE" --folder && exec docker exec -i "$AGENT" stagecraft-agent restore',
    );
  });

  test("does not keep its volumes", async () => {
    const { resources } = await register(development);
    expect(resources.filter((r) => r.retainOnDelete || r.protect)).toEqual([]);
  });

  test("keeps any name of a database out of the command's text", async () => {
    const name = `a"; drop database b; -- $(reboot)`;
    const { resources } = await register(
      () => new DevelopmentServer("dev", { ...common, database: { name, refreshFrom: dump } }),
    );
    const { inputs } = findResource(resources, `${name}-restore`);
    expect(inputs["create"]).not.toContain("drop");
    expect(inputs["environment"]).toMatchObject({ DATABASE: name });
  });

  test("tells all wrong arguments in one error that names the component", async () => {
    const postgres = { port: 0, memory: "lots" };
    const wrong = register(
      () =>
        new DevelopmentServer("dev", {
          ...common,
          postgres,
          database: { name: "a", refreshFrom: dump },
        }),
    );
    await expect(wrong).rejects.toThrow(
      `PostgresServer "dev": postgres.port must be a port from 1 to 65535, got 0
PostgresServer "dev": postgres.memory must be a size like "2 GB" or "512 MB", got "lots"`,
    );
  });
});

test("production logs connections and DDL by default", async () => {
  const { resources } = await register(
    () =>
      new ProductionServer("prod", {
        ...common,
        database: { name: "timesheets", recoverFrom: dump },
      }),
  );
  expect(findResource(resources, "prod-postgres").inputs["command"]).toEqual(
    expect.arrayContaining(["log_connections=on", "log_disconnections=on", "log_statement=ddl"]),
  );
});

describe("PostgreSQL's log", () => {
  const logOf = async (program: () => pulumi.Resource): Promise<readonly string[]> => {
    const { resources } = await register(program);
    const command = findResource(resources, "log-postgres").inputs["command"] as readonly string[];
    return command.filter((setting) => crashesOnly.includes(setting));
  };
  const database = { name: "timesheets", refreshFrom: dump };
  const settings = { wal_level: "logical" } as const;

  test("is kept for crashes alone where nothing archives it", async () => {
    expect(await logOf(() => new StagingServer("log", { ...common, database }))).toEqual(
      crashesOnly,
    );
  });

  test.each<readonly [string, () => pulumi.Resource]>([
    [
      "production",
      () =>
        new ProductionServer("log", {
          ...common,
          database: { name: "timesheets", recoverFrom: dump },
        }),
    ],
    [
      "a server with point in time",
      () => new StagingServer("log", { ...common, database, backups: { pointInTime: {} } }),
    ],
    [
      "a server whose settings say what the log is for",
      () =>
        new DevelopmentServer("log", {
          ...common,
          database,
          postgres: { ...common.postgres, settings },
        }),
    ],
  ])("can be archived on %s", async (_name, program) => {
    expect(await logOf(program)).toEqual([]);
  });

  test("that cannot be archived is told before point in time is begun", async () => {
    const roles = { database: "timesheets", passwords };
    await register(() => {
      const server = new PostgresServer("log", {
        ...{ kind: "staging", postgres: { port: 15432 }, roles, archivable: false },
      });
      expect(() => new BackupSchedule("log-backups", { server, pointInTime: {} })).toThrow(
        'BackupSchedule "log-backups": pointInTime is for servers whose log can be archived; make "log" with archivable: true, or leave it out',
      );
      return undefined;
    });
  });
});

describe("what the agent sees", () => {
  const restoreId = async (program: () => unknown): Promise<unknown> => {
    const { resources } = await register(program);
    const { inputs } = findResource(resources, "timesheets-restore");
    return (inputs["environment"] as Record<string, unknown>)["RESTORE_ID"];
  };

  test("the wanted contents change nothing", async () => {
    mockObservedServer(observation({ sha256, restoreId: "aaaaaaaaaaaa-7" }));
    expect(await restoreId(development)).toBe("aaaaaaaaaaaa-7");
  });

  test("other contents are replaced on development", async () => {
    mockObservedServer(observation({ sha256: "b".repeat(64), restoreId: "b-3" }));
    expect(await restoreId(development)).toBe("aaaaaaaaaaaa-4");
  });

  test("other contents stay on production", async () => {
    mockObservedServer(observation({ sha256: "b".repeat(64), restoreId: "b-3" }));
    expect(await restoreId(production)).toBe("b-3");
  });

  test.each<readonly [string, () => pulumi.Resource]>([
    ["development", development],
    ["production", production],
  ])("a missing database comes back on %s", async (_, program) => {
    mockObservedServer(observation(undefined));
    expect(await restoreId(program)).toBe("aaaaaaaaaaaa-4-missing");
  });
});

describe("a part that is gone or stopped", () => {
  const label = async (name: string): Promise<unknown> => {
    const { resources } = await register(development);
    const { inputs } = findResource(resources, name, "ontainer");
    return (inputs["labels"] as { label: string; value: string }[]).at(-1);
  };

  test("gets another label, so that it is replaced, and the others keep theirs", async () => {
    mockObservedServer(undefined, {
      createdAt: { network: "then", postgres: "then", agent: "now", scratch: "then" },
    });
    expect(await label("dev-agent")).toEqual({ label: "stagecraft.made", value: "now" });
    expect(await label("dev-postgres")).toEqual({ label: "stagecraft.made", value: "then" });
  });

  test("is told of", async () => {
    const warn = vi.spyOn(pulumi.log, "warn").mockResolvedValue();
    mockObservedServer(undefined, {
      faults: ["stagecraft-dev-agent is not running (exited); it will be recreated"],
    });
    await register(development);
    expect(warn.mock.calls.map(([text]) => text)).toEqual([
      "stagecraft-dev-agent is not running (exited); it will be recreated",
    ]);
    warn.mockRestore();
  });
});

describe("a server with another server's off-site copy", () => {
  test("has the key for it in a secret alone, and reads no volume", async () => {
    const identity = "AGE-SECRET-KEY-1CANARY";
    const refreshFrom = offsiteContents({
      ...{ remote: "s3:bucket", server: "prod", identity, backup: "20261121T032900Z" },
    });
    expect(refreshFrom.source.repository).toBe("s3:bucket/prod");
    const { resources } = await register(
      () =>
        new StagingServer("staging", { ...common, database: { name: "timesheets", refreshFrom } }),
    );
    const agent = findResource(resources, "staging-agent", "Container");
    expect(JSON.stringify(agent.inputs)).not.toContain("/var/backups/source");
    const holders = resources.filter(({ inputs }) => JSON.stringify(inputs).includes(identity));
    expect(holders.map(({ name }) => name)).toEqual(["timesheets-restore"]);
    const { stdin } = findResource(resources, "timesheets-restore", "Command").inputs;
    expect(stdin).toEqual({ secret: expect.stringContaining(identity) as string });
  });
});

describe("a server with another server's backup", () => {
  const backup = "20261121T032900Z";
  const contents = backupContents({ repository: "stagecraft-prod-backups", backup });
  const staging = (): StagingServer =>
    new StagingServer("staging", {
      ...common,
      database: { name: "timesheets", refreshFrom: contents },
    });

  test("has an agent that reads that volume, and writes nothing there", async () => {
    const { resources } = await register(staging);
    const { inputs } = findResource(resources, "staging-agent", "Container");
    expect(inputs["volumes"]).toContainEqual({
      ...{ volumeName: "stagecraft-prod-backups", containerPath: "/var/backups/source" },
      readOnly: true,
    });
    expect(inputs["envs"]).toContain("STAGECRAFT_SOURCE_VOLUME=stagecraft-prod-backups");
    const postgres = findResource(resources, "staging-postgres", "Container");
    expect(JSON.stringify(postgres.inputs)).not.toContain("prod-backups");
  });

  test("shows its id, and hands nothing over", async () => {
    const { resources } = await register(staging);
    expect(findResource(resources, "timesheets", "Database").inputs).toEqual({
      backup,
      restoreId: `${backup}-1`,
    });
    const { inputs } = findResource(resources, "timesheets-restore");
    expect(inputs["create"]).toBe('exec docker exec -i "$AGENT" stagecraft-agent restore');
    expect(JSON.parse(inputs["stdin"] as string)).toMatchObject({
      source: { name: backup, backup, repository: "stagecraft-prod-backups" },
      mode: "replace",
    });
  });
});

describe("a production server", () => {
  test("keeps the volumes with data when it is destroyed", async () => {
    const { resources } = await register(production);
    const kept = resources.filter(({ retainOnDelete }) => retainOnDelete);
    expect(kept.map(({ type, name }) => [type, name])).toEqual([
      ["docker:index/volume:Volume", "prod-agent"],
      ["docker:index/volume:Volume", "prod-archive"],
      ["docker:index/volume:Volume", "prod-backups"],
      ["docker:index/volume:Volume", "prod-data"],
    ]);
    const guarded = resources.filter(({ protect }) => protect);
    expect(guarded.map(({ name }) => name)).toEqual(["prod-archive", "prod-backups", "prod-data"]);
  });

  test("rejects its deletion before any of its parts is deleted: by all that nothing depends on", async () => {
    vi.mocked(inspectContainer).mockResolvedValue({ createdAt: "then", fault: undefined });
    const application = { image: "registry.example.com/timesheets:1", port: 18080 };
    const { resources } = await register(
      () =>
        new ProductionServer("prod", {
          ...common,
          application,
          database: { name: "timesheets", recoverFrom: dump },
        }),
    );
    const parts = resources.filter(({ type }) => /^(?:docker|command):/.test(type));
    const needed = new Set(
      parts.flatMap(({ dependsOn, name }) => dependsOn.filter((on) => on !== name)),
    );
    // A volume has the name of one of them.
    const schedule = findResource(resources, "prod-backups", "Command");
    const leaves = [schedule, ...parts.filter(({ name }) => !needed.has(name))];
    expect(leaves.map(({ name }) => name)).toEqual(
      expect.arrayContaining(["prod-application-check", "prod-backups-archive"]),
    );
    for (const { name, inputs } of leaves) {
      expect(inputs["delete"], name).toBe('exec sh -c "$CHECK"');
      expect(inputs["environment"], name).toMatchObject({
        CHECK: expect.stringContaining("--exclude-protected") as string,
        REASON: "the data of prod is protected: nothing of it was deleted",
      });
    }
    // What a stack file may leave out is deleted by an update.
    const inUpdates = parts.filter(({ inputs }) => {
      const environment = inputs["environment"] as Record<string, unknown> | undefined;
      return environment?.["WHEN"] === "destroy";
    });
    expect(inUpdates.map(({ name }) => name)).toEqual([
      "prod-application-check",
      "timesheets-restore",
    ]);
    const dev = await register(development);
    expect(dev.resources.filter(({ inputs }) => inputs["delete"] !== undefined)).toEqual([]);
  });

  test("uses a dump only when the database is missing", async () => {
    const { resources } = await register(production);
    const { inputs } = findResource(resources, "timesheets-restore");
    expect(inputs["environment"]).toMatchObject({ MODE: "when-missing" });
    expect(JSON.parse(inputs["stdin"] as string)).toMatchObject({
      kind: "production",
      mode: "when missing",
    });
  });

  test("has its agent look for newer contents in its off-site copies, by a secret request", async () => {
    const options = { host: "away.example.com", key_pem: "a key", known_hosts: "…" };
    const offsite = {
      ...{ remote: "sftp:backups", options },
      recipients: ["age1ac265zwcz0p49ldafugk6tueq38k05v7ym4t7t5x9j6jal0qdcmsrqfwd2"],
    };
    const recoverFrom = { ...dump, acceptOlder: "20261121T032900Z" };
    const { resources } = await register(
      () =>
        new ProductionServer("prod", {
          ...common,
          database: { name: "timesheets", recoverFrom },
          backups: { offsite },
        }),
    );
    const { stdin } = findResource(resources, "timesheets-restore").inputs;
    expect(JSON.parse((stdin as { secret: string }).secret)).toMatchObject({
      ownCopies: { remote: "sftp:backups", options },
      acceptOlder: "20261121T032900Z",
    });
  });

  test("cannot be told to refresh", () => {
    const program = (): pulumi.Resource =>
      new ProductionServer("prod", {
        ...common,
        // @ts-expect-error production is never refreshed
        database: { name: "timesheets", refreshFrom: dump },
      });
    expect(program).toBeTypeOf("function");
  });
});

test("a staging server differs from a development server in its kind, who may connect and its backups, and in nothing else", async () => {
  const dev = await register(development);
  const staging = await register(
    () =>
      new StagingServer("staging", {
        ...common,
        database: { name: "timesheets", refreshFrom: dump },
      }),
  );
  const renamed = JSON.stringify(staging.resources)
    .replaceAll("StagingServer", "DevelopmentServer")
    .replaceAll("STAGECRAFT_KIND=staging", "STAGECRAFT_KIND=development")
    .replaceAll(String.raw`\"kind\":\"staging\"`, String.raw`\"kind\":\"development\"`)
    .replaceAll(/\bstaging\b/g, "dev");
  const withoutRules = (resources: readonly Registered[]): Set<Registered> =>
    new Set(
      resources.filter(
        ({ type, name }) =>
          name !== "dev-pg-hba" && (name !== "dev-backups" || type.includes("Volume")),
      ),
    );
  expect(withoutRules(JSON.parse(renamed) as Registered[])).toEqual(withoutRules(dev.resources));
});
