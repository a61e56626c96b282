import { quietServer } from "../../../support/servers/observation";
import { describe, expect, it } from "vitest";
import { parseInspection, type Container } from "../../../../engine/containers";
import {
  serverState,
  type NamedLog,
  type ServerStatus,
} from "../../../../cli/server/server-status";
import { hasProblem, statusJson, statusText } from "../../../../cli/text/status";
import type { Observation } from "../../../../model/observation/observation";
import type { DatabaseFacts, Stamp } from "../../../../model/restore/protocol";

const now = new Date("2026-11-22T16:10:00Z");

const source = {
  name: "pg_dump.production.timesheets.20261115.032900.sql",
  sha256: "a".repeat(64),
  backup: "20261115T032900Z",
  server: "production",
};

const stamp: Stamp = {
  server: "dev",
  restoreId: "aaaaaaaaaaaa-1",
  source,
  outcome: "passed with notes",
  restoredAt: "2026-11-22T15:40:00Z",
};

const timesheets: DatabaseFacts = {
  name: "timesheets",
  owner: "timesheets",
  encoding: "UTF8",
  locale: "en_GB.UTF-8",
  bytes: 43_000_000,
  connections: 1,
  stamp,
};

const observation: Observation = {
  server: "dev",
  agentVersion: "0.1.0",
  postgresVersion: "17.7",
  systemIdentifier: "7412345678901234567",
  generation: 1,
  databases: [timesheets],
  freeBytes: 212 * 2 ** 30,
  lastRestore: null,
  ...quietServer,
};

const dev: ServerStatus = {
  stack: "dev",
  kind: "development",
  host: "local",
  state: "running",
  faults: [],
  addresses: ["127.0.0.1:15432"],
  observation,
  lastChange: {
    kind: "update",
    succeeded: true,
    at: new Date("2026-11-22T15:40:05Z"),
    changes: { create: 9, same: 1 },
  },
};

it("names what is in the newest backups and missing on the server", () => {
  const missing = [{ database: "crm", backup: "20261121T032900Z" }];
  const backups = { ...observation.backups, missing };
  const text = statusText([{ ...dev, observation: { ...observation, backups } }], now);
  expect(text).toMatch(
    /^ +crm is missing, and is in backup 20261121T032900Z · npx stagecraft recover dev$/m,
  );
});

const staging: ServerStatus = {
  stack: "staging",
  kind: "staging",
  host: "local",
  state: "not there",
  faults: [],
  addresses: [],
  observation: undefined,
  lastChange: undefined,
};

describe("status", () => {
  it("tells which moments a server can be recovered to, and what is wrong with its archive", () => {
    const archive = {
      ...{ ...quietServer.archive, on: true, behindSeconds: 42, failure: "no space left" },
      windows: [{ first: "2026-11-21T01:00:00.000Z", last: "2026-11-22T16:09:00.000Z" }],
    };
    const text = statusText([{ ...dev, observation: { ...observation, archive } }], now);
    expect(text).toMatch(/recovery +\S.* to .* · 42 s behind\n +archiving fails: no space left; /);
    expect(statusText([dev], now)).not.toContain("recovery");
  });

  it("shows a running server's data, verdict, size, connections, last change and disk", () => {
    expect(statusText([dev, staging], now)).toBe(
      [
        "dev      running, healthy · 127.0.0.1:15432 · PostgreSQL 17.7",
        "  timesheets  production 20261115T032900Z, 7 d old · 41 MB · passed with notes · 1 connection",
        "  backups     no backup yet · no schedule",
        "  changed     22 Nov 2026 15:40 UTC, 29 min ago: 9 created",
        "  disk        212 GB free",
        "staging  does not exist: npm start -- staging",
      ].join("\n"),
    );
  });

  it("names the volumes that are left of a server, and what can be done with them", () => {
    const left = { ...staging, volumes: ["stagecraft-staging-data", "stagecraft-staging-agent"] };
    expect(statusText([left], now)).toBe(
      [
        "staging  does not exist: npm start -- staging",
        "  left    volumes stagecraft-staging-data, stagecraft-staging-agent",
        "  use     npm start -- staging",
        "  delete  npx stagecraft down staging --data",
      ].join("\n"),
    );
  });

  it("has a problem if something is wrong, not if a server does not exist", () => {
    expect(hasProblem([dev, staging], now)).toBe(false);
    const late = { ...quietServer.backups, late: ["the job nightly is overdue"] };
    const bad: Partial<ServerStatus>[] = [
      { state: "stopped" },
      { state: "out of reach" },
      { faults: ["the agent does not answer"] },
      { observation: { ...observation, backups: late } },
    ];
    expect(bad.map((change) => hasProblem([{ ...dev, ...change }, staging], now))).toEqual(
      bad.map(() => true),
    );
  });

  it("says on which machine a server is, and that one is out of reach", () => {
    const host = "ssh://ops@staging.example.com";
    const [head] = statusText([{ ...dev, host }], now).split("\n");
    expect(head).toBe(
      "dev  running, healthy · 127.0.0.1:15432 of ssh://ops@staging.example.com · PostgreSQL 17.7",
    );
    const fault = `${host} cannot be reached: Connection refused; check its name and port`;
    const gone: ServerStatus = {
      ...staging,
      ...{ host, state: "out of reach", faults: [fault] },
    };
    expect(statusText([gone], now)).toBe(
      ["staging  unreachable · ssh://ops@staging.example.com", `  problem  ${fault}`].join("\n"),
    );
  });

  it("says which container of a server is stopped, and the fix", () => {
    const stopped: ServerStatus = {
      ...dev,
      state: "stopped",
      faults: ["the agent's container stagecraft-dev-agent has exited with status 137"],
      observation: undefined,
    };
    expect(statusText([stopped], now)).toBe(
      [
        "dev  stopped · 127.0.0.1:15432",
        "  problem  the agent's container stagecraft-dev-agent has exited with status 137",
        "  fix      npm start -- dev",
        "  changed  22 Nov 2026 15:40 UTC, 29 min ago: 9 created",
      ].join("\n"),
    );
  });

  it("tells of a failed restore that left the former data in place, and where its log is", () => {
    const failed: ServerStatus = {
      ...dev,
      observation: {
        ...observation,
        lastRestore: {
          result: "failed",
          server: "dev",
          database: "timesheets",
          source,
          restoreId: "bbbbbbbbbbbb-2",
          startedAt: "2026-11-22T16:00:00Z",
          steps: [],
          awaySeconds: 0,
          text: "dev was not changed: the import failed\n  cause  22021",
        },
      },
      lastChange: {
        kind: "update",
        succeeded: false,
        at: new Date("2026-11-22T16:00:05Z"),
        changes: {},
      },
    };
    expect(statusText([failed], now).split("\n").slice(2)).toEqual([
      "  restore     failed 10 min ago: dev was not changed: the import failed",
      "              npx stagecraft log dev",
      "  backups     no backup yet · no schedule",
      "  changed     22 Nov 2026 16:00 UTC, 9 min ago: update failed · npm start -- dev",
      "  disk        212 GB free",
    ]);
  });

  it("names the dump's file where its name tells no backup, and a database that has no stamp", () => {
    const databases = [
      { ...timesheets, stamp: { ...stamp, source: { name: "mine.dump", sha256: "" } } },
      { ...timesheets, name: "by_hand", connections: 0, stamp: null },
    ];
    const text = statusText([{ ...dev, observation: { ...observation, databases } }], now);
    expect(text).toContain("timesheets  mine.dump · 41 MB · passed with notes · 1 connection\n");
    expect(text).toContain(
      "by_hand     contents unknown (not restored by Stagecraft) · 41 MB · 0 connections\n",
    );
  });

  it("shows drift of roles, strangers, and the parameters of a database", () => {
    const roles = {
      ...observation.roles,
      faults: [{ role: "shop", faults: ["has a password that up did not set"] }],
      strangers: [
        {
          role: "erin",
          faults: ["may log in"],
          statements: ['ALTER ROLE "erin" NOLOGIN'],
        },
      ],
      parameters: [{ database: "timesheets", names: ["TimeZone", "search_path"] }],
    };
    const text = statusText([{ ...dev, observation: { ...observation, roles } }], now);
    expect(text).toContain(
      [
        "  roles       role shop has a password that up did not set; up corrects it",
        '              role erin, which Stagecraft does not manage, may log in; to change that: ALTER ROLE "erin" NOLOGIN',
        "              database timesheets has its own TimeZone, search_path",
      ].join("\n"),
    );
  });

  it("shows that the engine rotates the logs of its containers, and which log has no limit", () => {
    const log = (container: string, limitBytes: number | null | undefined): NamedLog => ({
      ...{ container, driver: "json-file", limitBytes },
    });
    const logs = [log("stagecraft-dev-postgres", 200 * 2 ** 20), log("stagecraft-dev-agent", null)];
    expect(statusText([{ ...dev, logs }], now)).toContain(
      [
        "  logs        the log of stagecraft-dev-agent has no limit, and can fill the host's disk · npm start -- dev",
        "              rotated by the engine: at most 200 MB of 1 container",
        "  disk        212 GB free",
      ].join("\n"),
    );
    // Another program stores it.
    const elsewhere = [{ ...log("stagecraft-dev-postgres", undefined), driver: "journald" }];
    expect(statusText([{ ...dev, logs: elsewhere }], now)).not.toContain("logs");
    expect(JSON.parse(statusJson([{ ...dev, logs }]))).toMatchObject({ servers: [{ logs }] });
  });

  it("gives a program the same facts", () => {
    const { servers } = JSON.parse(statusJson([dev, staging])) as {
      servers: Record<string, unknown>[];
    };
    expect(servers[0]).toMatchObject({
      stack: "dev",
      kind: "development",
      state: "running",
      addresses: ["127.0.0.1:15432"],
      observation: JSON.parse(JSON.stringify(observation)) as unknown,
      lastChange: { succeeded: true, at: "2026-11-22T15:40:05.000Z" },
    });
    expect(servers[1]).toEqual({
      stack: "staging",
      kind: "staging",
      host: "local",
      state: "not there",
      faults: [],
      addresses: [],
      observation: null,
      lastChange: null,
    });
  });
});

describe("the log of a container, as docker inspect tells of it", () => {
  it.each([
    ["json-file", { "max-size": "20m", "max-file": "10" }, 200 * 2 ** 20],
    ["json-file", { "max-size": "1g" }, 2 ** 30],
    ["json-file", { "max-size": "-1", "max-file": "3" }, null],
    ["json-file", null, null],
    ["local", {}, 100 * 2 ** 20],
    ["none", {}, 0],
    ["journald", {}, undefined],
  ])("%s %j", (Type, Config, limitBytes) => {
    const inspected = {
      ...{ Name: "/c", Created: "", Config: {}, NetworkSettings: {} },
      State: { Status: "running", StartedAt: "", ExitCode: 0 },
      HostConfig: { LogConfig: { Type, Config } },
    };
    const [container] = parseInspection(JSON.stringify([inspected]));
    expect(container?.log).toEqual({ driver: Type, limitBytes });
  });
});

describe("a server's state", () => {
  const container = (state: string, health?: Container["health"]): Container => ({
    name: "c",
    state,
    health,
    createdAt: "",
    startedAt: "",
    server: "dev",
    exitCode: 0,
    ports: [],
  });

  it.each([
    [undefined, undefined, "not there"],
    [container("running", "healthy"), undefined, "incomplete"],
    [undefined, container("running", "healthy"), "incomplete"],
    [container("exited"), container("running", "healthy"), "stopped"],
    [container("running", "healthy"), container("paused"), "stopped"],
    [container("running", "unhealthy"), container("running", "starting"), "unhealthy"],
    [container("running", "healthy"), container("running", "starting"), "starting"],
    [container("running", "healthy"), container("running", "healthy"), "running"],
  ])("comes from both containers (%#)", (postgres, agent, state) => {
    expect(serverState({ postgres, agent })).toBe(state);
  });
});
