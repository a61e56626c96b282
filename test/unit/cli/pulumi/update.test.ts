import { describe, expect, it } from "vitest";
import {
  afterEvent,
  noEventsYet,
  parseEngineEvent,
  type EngineError,
  type UpdateState,
} from "../../../../cli/pulumi/engine-events";
import { pendingContainers } from "../../../../cli/pulumi/find-container-conflict";
import type { ContainerConflict } from "../../../../cli/pulumi/container-conflict";
import {
  changesText,
  parseAgentProgress,
  progressBar,
  updateLine,
} from "../../../../cli/pulumi/progress";
import { lockProblem, parseLock, updateProblems } from "../../../../cli/pulumi/update-errors";
import { problemText } from "../../../../cli/base/problem-text";

const urn = (name: string) =>
  `urn:pulumi:dev::stagecraft::docker:index/container:Container::${name}`;
const container = (op: string, name: string) => ({
  metadata: { op, urn: urn(name), type: "docker:index/container:Container" },
});

function after(...events: object[]): UpdateState {
  return events
    .map((event) => parseEngineEvent(JSON.stringify({ sequence: 1, timestamp: 1, ...event })))
    .reduce((state, event) => (event ? afterEvent(state, event) : state), noEventsYet);
}

const message = (severity: string, text: string) => ({
  diagnosticEvent: { severity, message: text, color: "never" },
});

describe("the line of an update", () => {
  it("says what is being made, and how much has been", () => {
    const creating = { resourcePreEvent: container("create", "dev-postgres") };
    expect(updateLine(after(), true)).toBe("reading the current state");
    expect(updateLine(after(creating), true)).toBe("creating container dev-postgres");
    const made = { resOutputsEvent: container("create", "dev-postgres") };
    expect(updateLine(after(creating, made), true)).toBe("1 changed");
  });

  it("knows the ids of the restores that it asked for, and of no others", () => {
    const command = (op: string, name: string, environment: object) => ({
      resourcePreEvent: {
        metadata: {
          ...{ op, urn: urn(name), type: "command:local:Command" },
          new: { urn: urn(name), inputs: { environment, create: "x" } },
        },
      },
    });
    const state = after(
      command("create", "shop-restore", { RESTORE_ID: "abc-2", DATABASE: "shop" }),
      command("same", "other-restore", { RESTORE_ID: "old-1" }),
      command("update", "shop-roles", { DATABASE: "shop" }),
      { resourcePreEvent: container("create", "dev-postgres") },
    );
    expect([...state.restoreIds]).toEqual(["abc-2"]);
    expect(state.running.size).toBe(3);
  });

  it("leaves out what does not change, components, providers and debug messages", () => {
    const state = after(
      { resourcePreEvent: container("same", "dev-postgres") },
      {
        resourcePreEvent: {
          metadata: { op: "create", urn: "urn::x", type: "stagecraft:index:Database" },
        },
      },
      {
        resourcePreEvent: {
          metadata: { op: "create", urn: "urn::y", type: "pulumi:providers:docker" },
        },
      },
      message("debug", "Registering resource"),
    );
    expect(updateLine(state, true)).toBe("reading the current state");
  });

  it("shows the agent's progress as a bar on a terminal and as it is in a log", () => {
    const state = after(
      { resourcePreEvent: container("create", "dev-restore") },
      {
        diagnosticEvent: {
          urn: urn("dev-restore"),
          severity: "info",
          message: "restore 78 % · 1.5 of 1.9 GB · 9.1 M rows · 12 s left\n",
        },
      },
    );
    expect(updateLine(state, true)).toBe(
      "restore   ███████████████░░░░░  78 %   1.5 of 1.9 GB   9.1 M rows   12 s left",
    );
    expect(updateLine(state, false)).toBe("restore 78 % · 1.5 of 1.9 GB · 9.1 M rows · 12 s left");
  });

  it("keeps what the program tells about the stack for the end", () => {
    const state = after(message("info", "timesheets is not on dev\n"));
    expect(state.notes).toEqual(["timesheets is not on dev"]);
    expect(updateLine(state, true)).toBe("reading the current state");
  });

  it("is not misled by text that only looks like progress", () => {
    expect(parseAgentProgress("waiting for PostgreSQL")).toBeUndefined();
    expect(parseAgentProgress("passed · 100 % of the rows")).toBeUndefined();
    expect(progressBar({ what: "receive", percent: 100, details: [] }, 4)).toBe(
      "receive   ████ 100 %",
    );
  });

  it("ignores lines that are no events", () => {
    expect(parseEngineEvent("Updating (dev)")).toBeUndefined();
    expect(parseEngineEvent("{ broken")).toBeUndefined();
  });

  it("sums up what changed", () => {
    expect(changesText({ same: 9 })).toBe("nothing to do");
    expect(changesText({ create: 9 })).toBe("9 created");
    const replaced = { "create-replacement": 1, replace: 1, "delete-replaced": 1 };
    expect(changesText({ update: 2, same: 5, ...replaced })).toBe("2 updated, 1 replaced");
    expect(changesText({ delete: 9 })).toBe("9 deleted");
  });
});

const ofResource = (text: string): EngineError => ({ message: text, isFromProgram: false });

describe("what went wrong in an update", () => {
  const problems = (...errors: string[]): string[] =>
    updateProblems({ stack: "dev", errors: errors.map(ofResource), stderr: "" }).map((problem) =>
      problemText(problem),
    );

  it("is the agent's text exactly once, without the command, its progress and Pulumi's echo", () => {
    const failed = [
      'exit status 1: running "docker exec -i \\"$AGENT\\" stagecraft-agent restore":',
      "restore 12 % · 0.2 of 1.9 GB",
      "dev was not changed: the import of production 20261115T032900Z failed",
      '  cause     22021  invalid byte sequence for encoding "UTF8": 0xc3 0x28',
      "",
    ].join("\n");
    expect(problems(failed, failed, "update failed")).toEqual([
      [
        "error: dev was not changed: the import of production 20261115T032900Z failed",
        '  cause     22021  invalid byte sequence for encoding "UTF8": 0xc3 0x28',
      ].join("\n"),
    ]);
  });

  it("takes the text out of the agent's result where Pulumi prints both its outputs", () => {
    const result = {
      result: "failed",
      server: "dev",
      database: "timesheets",
      source: { name: "a.sql", sha256: "a".repeat(64) },
      restoreId: "x-1",
      startedAt: "2026-11-22T16:00:00Z",
      steps: [],
      awaySeconds: 0,
      text: "dev was not changed",
    };
    expect(
      problems(
        `exit status 1: running "docker …":\ndev was not changed\n${JSON.stringify(result)}`,
      ),
    ).toEqual(["error: dev was not changed"]);
  });

  it("is told with what the agent was doing where it, its container or its engine was killed", () => {
    const cut = [
      'exit status 137: running "docker exec …":',
      "read …",
      "restore 12 % · 0.2 of 1.9 GB",
    ];
    expect(problems(cut.join("\n"), "update failed")).toEqual([
      [
        "error: the agent of dev was interrupted (restore 12 % · 0.2 of 1.9 GB): its process, its container or the engine was killed or lost the connection",
        "  fix  check npx stagecraft status dev, then re-run to resume",
      ].join("\n"),
    ]);
  });

  it("is what a command on another machine said, without the command", () => {
    const failed =
      'Process exited with status 1: running "set -eu\\numask 077":\nguest may not change the file';
    expect(problems(failed)).toEqual(["error: guest may not change the file"]);
  });

  it("is the program's own text, without a stack trace", () => {
    expect(problems("Pulumi.prod.yaml has 3 problems\n  a  b\n  c  d\n")).toEqual([
      "error: Pulumi.prod.yaml has 3 problems\n  a  b\n  c  d",
    ]);
    expect(
      problems(
        "Running program '/x/index.ts' failed with an unhandled exception:\nError: boo\n    at Object.<anonymous> (/x/index.ts:5:35)\n    at node:internal/modules/cjs/loader:1913:10\n",
      ),
    ).toEqual(["error: boo"]);
  });

  it("names a port that is taken, and how to see by what", () => {
    expect(
      problems(
        "Unable to start container: driver failed programming external connectivity on endpoint x: Bind for 127.0.0.1:15432 failed: port is already allocated",
      ),
    ).toEqual([
      [
        "error: port 15432 of 127.0.0.1 is in use by another program",
        "  fix  find it with ss -ltnp 'sport = :15432' and stop it,",
        "       or set another stagecraft:postgres port in Pulumi.dev.yaml",
      ].join("\n"),
    ]);
  });

  const ofAnotherFolder = [
    "       if it belongs to another project folder: leave it as it is, and give this folder other names:",
    "       another stagecraft:namePrefix and stagecraft:postgres port in Pulumi.dev.yaml",
  ];

  it("names the network of a killed update, or of a server that another folder has", () => {
    expect(
      problems("Unable to create network: network with name stagecraft-dev already exists"),
    ).toEqual([
      [
        "error: network stagecraft-dev exists, but is not in the state of stack dev: an update was killed, or another project folder created it",
        "  fix  after a killed update: docker network rm stagecraft-dev   then start again;",
        ...ofAnotherFolder,
      ].join("\n"),
    ]);
  });

  describe("because of a container that is in the way", () => {
    const name = "stagecraft-dev-agent";
    const error = `Unable to create container: Error response from daemon: Conflict. The container name "/${name}" is already in use by container "4711". You have to remove (or rename) that container to be able to reuse that name.`;
    const createdAt = "2026-11-22T16:10:11.123Z";
    const told = (taken?: ContainerConflict): string[] =>
      updateProblems({
        stack: "dev",
        errors: [ofResource(error)],
        stderr: "",
        conflict: taken,
      }).map((problem) => problemText(problem));

    it("has it removed where a killed update of the stack left it", () => {
      expect(told({ name, isLeftBehind: true })).toEqual([
        [
          "error: container stagecraft-dev-agent was left by an update of stack dev that was killed",
          "  fix  docker rm -f stagecraft-dev-agent   then start again; the data stays in its volume",
        ].join("\n"),
      ]);
    });

    it("says whose it may be, and to leave another folder's alone", () => {
      const fix = [
        `  fix  ${ofAnotherFolder[0]?.trim()}`,
        ofAnotherFolder[1],
        "       if it belongs to this folder and its state was lost: docker rm -f stagecraft-dev-agent   then start again; the data stays in its volume",
      ];
      const found = { state: "running", createdAt, server: "dev" };
      expect(told({ name, isLeftBehind: false, found })).toEqual([
        [
          "error: container stagecraft-dev-agent (running, created 22 Nov 2026 16:10 UTC) belongs to server dev, which is not in this stack's state",
          ...fix,
        ].join("\n"),
      ]);
      expect(told()).toEqual([
        [
          "error: container stagecraft-dev-agent belongs to server dev, which is not in this stack's state",
          ...fix,
        ].join("\n"),
      ]);
    });

    it("never has one removed that Stagecraft did not make", () => {
      const found = { state: "exited", createdAt, server: undefined };
      expect(told({ name, isLeftBehind: false, found })).toEqual([
        [
          "error: the name of container stagecraft-dev-agent (exited, created 22 Nov 2026 16:10 UTC) is in use, and Stagecraft did not create that container",
          "  fix  leave it as it is, and set another stagecraft:namePrefix in Pulumi.dev.yaml",
        ].join("\n"),
      ]);
    });

    it("knows what a killed update had begun from the stack's export", () => {
      const pending = [
        { type: "creating", resource: { urn: "x", inputs: { name } } },
        { type: "updating", resource: { urn: "y", inputs: { name: "another" } } },
        { type: "creating", resource: { urn: "z", inputs: { create: "exec docker" } } },
      ];
      expect(
        pendingContainers(JSON.stringify({ deployment: { pending_operations: pending } })),
      ).toEqual([name]);
      expect(pendingContainers(JSON.stringify({ deployment: {} }))).toEqual([]);
    });
  });

  it("is never nothing", () => {
    const [problem] = updateProblems({ stack: "dev", errors: [], stderr: "" });
    expect(problem?.message).toBe("pulumi was killed while it changed stack dev");
  });

  it.each([
    'signal: SIGTERM: running "docker exec -i \"$AGENT\" stagecraft-agent restore":\nrestore 12 % · 1 of 9 GB',
    'signal: terminated: running "exec docker":\n',
    'context canceled: running "exec docker":\n',
  ])("tells of an interrupted command, not of its signal: %s", (message) => {
    expect(problems("update canceled", message)).toEqual([
      "error: the update of stack dev was interrupted; completed changes are kept\n  fix  re-run to resume",
    ]);
  });

  it.each([
    [
      "error: getting stack configuration: get stack secrets manager: passphrase must be set with PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE environment variables",
      "error: the passphrase that decrypts the secrets of stack dev is missing\n",
    ],
    [
      "error: getting stack configuration: get stack secrets manager: unable to read PULUMI_CONFIG_PASSPHRASE_FILE: open /nowhere: no such file or directory",
      "error: the passphrase file /nowhere (PULUMI_CONFIG_PASSPHRASE_FILE) cannot be read\n",
    ],
  ])("does not call a missing passphrase a wrong one: %s", (stderr, text) => {
    const [problem] = updateProblems({ stack: "dev", errors: [], stderr });
    expect(problem && problemText(problem)).toContain(text);
  });

  it("says that an interrupted update can be finished", () => {
    expect(problems("update canceled")).toEqual([
      "error: the update of stack dev was interrupted; completed changes are kept\n  fix  re-run to resume",
    ]);
  });

  it.each([
    [
      "error: could not get stack: incorrect passphrase",
      "error: the passphrase does not decrypt the secrets of stack dev\n  fix  restore the .stagecraft/passphrase (or PULUMI_CONFIG_PASSPHRASE) that Pulumi.dev.yaml was set up with",
    ],
    [
      "error: no stack named 'dev' found",
      "error: stack dev is not set up yet\n  fix  npm start -- dev",
    ],
    [
      "error: Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?",
      "error: the Docker engine does not answer\n  fix  npm start   (starts it where it can)",
    ],
  ])("is told with its fix when Pulumi cannot begin: %s", (stderr, text) => {
    const [problem] = updateProblems({ stack: "dev", errors: [], stderr });
    expect(problem && problemText(problem)).toBe(text);
  });
});

describe("a locked stack", () => {
  const stderr = [
    "error: the stack is currently locked by 1 lock(s). Either wait for the other process(es) to end or delete the lock file with `pulumi cancel`.",
    "  file:///p/.stagecraft/state/.pulumi/locks/organization/stagecraft/dev/1.json: created by ada@box (pid 4711) at 2026-11-22T16:03:11Z",
  ].join("\n");

  it("tells who holds the lock", () => {
    expect(parseLock(stderr)).toEqual({
      user: "ada",
      host: "box",
      pid: 4711,
      since: "2026-11-22T16:03:11Z",
    });
    expect(parseLock("error: incorrect passphrase")).toBeUndefined();
  });

  it("is to be waited for while its holder lives, and to be freed when it was killed", () => {
    const lock = parseLock(stderr);
    if (!lock) throw new Error("no lock");
    expect(problemText(lockProblem("dev", lock, false))).toBe(
      [
        "error: stack dev is being changed by another update (process 4711 of ada@box, since 2026-11-22 16:03 UTC)",
        "  fix  wait for it to finish; if its process no longer exists: pulumi cancel -s dev",
      ].join("\n"),
    );
    expect(problemText(lockProblem("dev", lock, true))).toBe(
      [
        "error: stack dev is locked by an update that was killed (process 4711 of ada@box, since 2026-11-22 16:03 UTC)",
        "  fix  pulumi cancel -s dev   then start again; completed changes are kept",
      ].join("\n"),
    );
  });
});
