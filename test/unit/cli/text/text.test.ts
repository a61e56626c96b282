import { quietServer } from "../../../support/servers/observation";
import { describe, expect, it } from "vitest";
import { parseInspection } from "../../../../engine/containers";
import { engineProblem } from "../../../../engine/problems";
import { parseStackChange } from "../../../../cli/pulumi/history";
import { buildStep } from "../../../../cli/server/server-image";
import type { ServerStatus } from "../../../../cli/server/server-status";
import { parseStackName } from "../../../../cli/project/stacks";
import { doctorText, packageAgeText } from "../../../../cli/text/doctor";
import { downDone, downWarning, nothingToStop, type DownPlan } from "../../../../cli/text/down";
import { nextText } from "../../../../cli/text/next-steps";
import { problemText } from "../../../../cli/base/problem-text";
import { Problem } from "../../../../cli/base/problem";

const volumes = ["stagecraft-prod-data", "stagecraft-prod-run", "stagecraft-prod-agent"];

const prod: ServerStatus = {
  stack: "prod",
  kind: "production",
  host: "local",
  state: "running",
  faults: [],
  addresses: ["127.0.0.1:15434"],
  observation: {
    server: "prod",
    agentVersion: "0.1.0",
    postgresVersion: "17.7",
    systemIdentifier: "1",
    generation: 1,
    databases: [
      {
        name: "timesheets",
        owner: "timesheets",
        encoding: "UTF8",
        locale: "C",
        bytes: 2 * 2 ** 30,
        connections: 3,
        stamp: null,
      },
    ],
    freeBytes: 1,
    lastRestore: null,
    ...quietServer,
  },
  lastChange: undefined,
};

const plan: DownPlan = { server: prod, volumes, withData: false };

describe("down", () => {
  it("says what it will do, who is using the server, and that the data stays", () => {
    expect(downWarning(plan)).toBe(
      [
        "This stops the production server prod and removes its containers and its network.",
        "  in use    3 connections are open now",
        "  data      stays (timesheets, 2 GB): volumes stagecraft-prod-data, stagecraft-prod-run, stagecraft-prod-agent",
      ].join("\n"),
    );
  });

  it("says loudly that the data goes", () => {
    expect(downWarning({ ...plan, withData: true }).split("\n")[2]).toBe(
      "  data      IS DELETED PERMANENTLY (timesheets, 2 GB): volumes stagecraft-prod-data, stagecraft-prod-run, stagecraft-prod-agent",
    );
  });

  it("says afterwards what stayed, how to have the server again and how to delete the rest", () => {
    expect(downDone(plan, "3.1 s")).toBe(
      [
        "The production server prod is down, 3.1 s",
        "  data      stays in the volumes stagecraft-prod-data, stagecraft-prod-run, stagecraft-prod-agent",
        "  restart   npm start -- prod",
        "  delete    npx stagecraft down prod --data",
      ].join("\n"),
    );
    expect(downDone({ ...plan, volumes: [] }, "3.1 s")).toBe(
      "The production server prod is down, 3.1 s",
    );
  });

  it("does nothing for a server that is not there, and says whether data of it is left", () => {
    expect(nothingToStop({ ...plan, volumes: [] })).toBe("prod does not exist: nothing to do");
    expect(nothingToStop(plan)).toContain("prod is already down: nothing to do\n  data      stays");
  });
});

describe("the block after a start", () => {
  it("gives psql, the connection string without its password, and how to stop and remove", () => {
    const text = nextText({
      stack: "dev",
      kind: "development",
      host: "local",
      address: "127.0.0.1:15432",
      database: "timesheets",
    });
    expect(text).toBe(
      [
        " Your development server is up",
        "   psql       npx stagecraft psql dev",
        "   database   postgresql://timesheets@127.0.0.1:15432/timesheets   (password: npx stagecraft password dev)",
        "   next       npx stagecraft status · docs/configuration.md",
        "   stop it    npx stagecraft down dev",
        "   remove it  npx stagecraft down dev --data   (with its data)",
      ].join("\n"),
    );
  });

  it("says how to get to a server on another machine", () => {
    const text = nextText({
      stack: "staging",
      kind: "staging",
      host: "ssh://ops@staging.example.com",
      address: "127.0.0.1:15433",
      database: "timesheets",
    });
    expect(text.split("\n").slice(1, 4)).toEqual([
      "   psql       npx stagecraft psql staging",
      "   tunnel     ssh -N -L 15433:127.0.0.1:15433 ssh://ops@staging.example.com   (keep it open while you connect)",
      "   database   postgresql://timesheets@127.0.0.1:15433/timesheets   (password: npx stagecraft password staging)",
    ]);
  });

  it("writes a database name into the connection string so that it can be read back", () => {
    const text = nextText({
      stack: "dev",
      kind: "development",
      host: "local",
      address: "127.0.0.1:15432",
      database: "Årets tall/2026?",
    });
    const [url = ""] = /postgresql:\S+/.exec(text) ?? [];
    expect(decodeURIComponent(new URL(url).pathname)).toBe("/Årets tall/2026?");
    expect(decodeURIComponent(new URL(url).username)).toBe("Årets tall/2026?");
  });
});

describe("doctor", () => {
  it("shows every finding and the fix of what is missing", () => {
    const text = doctorText([
      { name: "Node", ok: true, detail: "22.23.3" },
      { name: "Docker engine", ok: false, detail: "does not answer", fix: "npm start" },
    ]);
    expect(text).toBe(
      [
        " ✔ Node                            22.23.3",
        " ✘ Docker engine                   does not answer",
        "     fix  npm start",
        "",
        "1 of 2 checks failed.",
      ].join("\n"),
    );
    expect(doctorText([{ name: "Node", ok: true, detail: "22" }])).toContain(
      "\nAll checks passed.",
    );
  });

  it("says when the packages of the server image are due for renewal", () => {
    const text = (today: string) => packageAgeText("2026-11-30", new Date(today));
    expect(text("2026-11-29T23:00:00Z")).toBe("packages of 2026-11-30");
    expect(text("2027-01-04T12:00:00Z")).toBe("packages of 2026-11-30");
    expect(text("2027-01-05T00:00:00Z")).toBe(
      "packages of 2026-11-30, 36 days old: write today's date in images/Dockerfile and run up for fixes",
    );
  });
});

describe("stack names", () => {
  it("are dev, staging and prod; anything else is told with the list", () => {
    expect(parseStackName("staging")).toBe("staging");
    const tell = (name: string): string => {
      try {
        return parseStackName(name);
      } catch (error) {
        return problemText(error as Problem);
      }
    };
    expect(tell("devv")).toBe('error: unknown stack "devv"\n  fix  use one of dev, staging, prod');
    expect(tell("Production")).toBe(
      'error: unknown stack "Production"\n  fix  the stack of the production server is prod',
    );
    expect(tell("constructor")).toContain('unknown stack "constructor"');
  });
});

describe("what Docker says", () => {
  it("is read into a container's state, health and addresses", () => {
    const inspected = [
      {
        Name: "/stagecraft-dev-postgres",
        Created: "2026-11-22T15:59:59Z",
        Config: { Labels: { "stagecraft.server": "dev" } },
        State: {
          Status: "running",
          StartedAt: "2026-11-22T16:00:00Z",
          ExitCode: 0,
          Health: { Status: "healthy" },
        },
        NetworkSettings: {
          Ports: { "5432/tcp": [{ HostIp: "127.0.0.1", HostPort: "15432" }], "80/tcp": null },
        },
      },
    ];
    expect(parseInspection(JSON.stringify(inspected))).toEqual([
      {
        name: "stagecraft-dev-postgres",
        state: "running",
        health: "healthy",
        createdAt: "2026-11-22T15:59:59Z",
        startedAt: "2026-11-22T16:00:00Z",
        server: "dev",
        exitCode: 0,
        ports: ["127.0.0.1:15432"],
      },
    ]);
    expect(parseInspection("")).toEqual([]);
  });

  it.each([
    [
      "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?",
      "the Docker engine does not answer",
    ],
    [
      "permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock",
      "this user may not use the Docker engine",
    ],
    ["Error: No such container: stagecraft-dev-postgres", undefined],
  ])("tells whether the engine can be reached: %s", (stderr, problem) => {
    expect(engineProblem("local", stderr)?.message).toBe(problem);
    const there = engineProblem("ssh://ops@staging.example.com", stderr)?.message;
    expect(there).toEqual(problem && expect.stringContaining("of ssh://ops@staging.example.com"));
  });

  it("is how far a build is, from the classic builder and from BuildKit", () => {
    expect(buildStep("Step 3/11 : RUN apt-get update")).toBe("step 3 of 11");
    expect(buildStep("#7 [ 4/11] COPY agent.js /")).toBe("step 4 of 11");
    expect(buildStep("#7 [base 4/11] COPY agent.js /")).toBe("step 4 of 11");
    expect(buildStep(" ---> Running in 4711")).toBeUndefined();
  });
});

describe("Pulumi's history", () => {
  it("is read from its files and from its command alike", () => {
    const change = {
      kind: "update",
      succeeded: true,
      at: new Date("2026-11-22T16:06:12.000Z"),
      changes: { create: 2 },
    };
    const common = { kind: "update", result: "succeeded", resourceChanges: { create: 2 } };
    expect(parseStackChange({ ...common, startTime: 1795363570, endTime: 1795363572 })).toEqual(
      change,
    );
    const text = { startTime: "2026-11-22T16:06:10.000Z", endTime: "2026-11-22T16:06:12.000Z" };
    expect(parseStackChange({ ...common, ...text })).toEqual(change);
  });
});
