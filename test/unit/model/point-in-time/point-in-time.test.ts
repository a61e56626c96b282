import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { maxDatabaseNameBytes } from "../../../../model/base/names";
import { pgBackRestProblem } from "../../../../model/point-in-time/pgbackrest-error";
import { archiveWarnings, isArchiveUpToDate } from "../../../../model/point-in-time/drift";
import { dueBaseBackup } from "../../../../model/point-in-time/due-base-backup";
import { parseInfo, type StanzaInfo } from "../../../../model/point-in-time/pgbackrest-info";
import {
  recoveredDatabaseName,
  recoveredName,
} from "../../../../model/point-in-time/recovered-names";
import { lastRecoveredChange, recoveryFailure } from "../../../../model/point-in-time/recovery-log";
import {
  renderArchiveParameters,
  renderRepositoryConfig,
  repositoryEnvironment,
} from "../../../../model/point-in-time/archive-repository";
import { archiveConfig, pointInTimeConfigSchema } from "../../../../model/stack-file/point-in-time";
import { parseTarget, targetText, utcText } from "../../../../model/point-in-time/recovery-target";
import {
  planRecovery,
  recoverableWindows,
  windowsText,
} from "../../../../model/point-in-time/recovery-windows";
import { quietServer } from "../../../support/servers/observation";

const at = (text: string): Date => new Date(text);

describe("a target", () => {
  test.each([
    ["2026-11-21 14:05", "2026-11-21T14:05:00.000Z"],
    ["2026-11-21T14:05:10.25Z", "2026-11-21T14:05:10.250Z"],
    ["2026-11-21 14:05 UTC", "2026-11-21T14:05:00.000Z"],
    ["2026-11-21 14:05 +01:00", "2026-11-21T13:05:00.000Z"],
    ["2026-11-21 14:05-05", "2026-11-21T19:05:00.000Z"],
    ["2026-11-21 14:05 Europe/Berlin", "2026-11-21T13:05:00.000Z"],
    ["2026-07-21 14:05 Europe/Berlin", "2026-07-21T12:05:00.000Z"],
    ["2026-10-25 03:00 Europe/Berlin", "2026-10-25T02:00:00.000Z"],
  ])("%s is %s", (text, moment) => {
    expect(parseTarget(text)).toEqual({ kind: "time", at: at(moment) });
  });

  test.each([
    ["yesterday", 'be a time like "2026-11-21 14:05", latest or immediate, got "yesterday"'],
    ["2026-02-30 14:05", 'be a valid date and time, got "2026-02-30 14:05"'],
    ["2026-11-21 24:00", 'be a valid date and time, got "2026-11-21 24:00"'],
    [
      "2026-11-21 14:05 Mars",
      'name a time zone like UTC, +01:00 or Europe/Berlin after the time, got "Mars"',
    ],
    [
      "2026-03-29 02:30 Europe/Berlin",
      'be a time that exists in Europe/Berlin: its clocks were set forward past "2026-03-29 02:30 Europe/Berlin"',
    ],
    [
      "2026-10-25 02:30 Europe/Berlin",
      'be unambiguous: Europe/Berlin set its clocks back, so "2026-10-25 02:30 Europe/Berlin" was both 2026-10-25 00:30:00 UTC and 2026-10-25 01:30:00 UTC',
    ],
  ])("%s must %s", (text, problem) => {
    expect(parseTarget(text)).toEqual({ problem });
  });

  test("any moment that is told may be given again, in any zone that says its offset", () => {
    const moments = fc.date({ min: at("1990-01-01"), max: at("2090-01-01"), noInvalidDate: true });
    fc.assert(
      fc.property(moments, fc.integer({ min: -15, max: 15 }), (moment, hours) => {
        expect(parseTarget(utcText(moment))).toEqual({ kind: "time", at: moment });
        const wall = new Date(moment.getTime() + hours * 3_600_000).toISOString().replace("Z", "");
        const offset = `${hours < 0 ? "-" : "+"}${String(Math.abs(hours)).padStart(2, "0")}`;
        expect(parseTarget(`${wall} ${offset}`)).toEqual({ kind: "time", at: moment });
      }),
    );
  });

  test("a zone's own clock leads back to the moment, unless it showed the time twice", () => {
    const zones = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"];
    const moments = fc.date({ min: at("1995-01-01"), max: at("2035-01-01"), noInvalidDate: true });
    fc.assert(
      fc.property(moments, fc.constantFrom(...zones), (moment, zone) => {
        const wall = new Intl.DateTimeFormat("sv-SE", {
          ...{ timeZone: zone, dateStyle: "short", timeStyle: "medium" },
        }).format(moment);
        const read = parseTarget(`${wall} ${zone}`);
        if ("problem" in read) expect(read.problem).toContain("say which of two");
        else if (read.kind === "time")
          expect(Math.floor(read.at.getTime() / 1000)).toBe(Math.floor(moment.getTime() / 1000));
      }),
    );
  });

  test("words are targets, too", () => {
    expect([parseTarget("latest"), parseTarget(" immediate ")]).toEqual([
      { kind: "latest" },
      { kind: "immediate" },
    ]);
    expect(targetText({ kind: "latest" })).toBe("latest");
  });
});

const stanza = (name: string, stops: readonly string[]): StanzaInfo => ({
  stanza: name,
  problem: undefined,
  backups: stops.map((stop) => ({
    ...{ label: stop, type: "full" as const, stoppedAt: at(stop), bytes: 1, storedBytes: 1 },
  })),
  newest: undefined,
});

describe("what can be recovered", () => {
  const cluster = {
    info: stanza("a", ["2026-11-01T01:00:00Z", "2026-11-08T01:00:00Z", "2026-11-15T01:00:00Z"]),
    periods: [
      { from: "2026-11-01T00:00:00.000Z", to: "2026-11-10T12:00:00.000Z" },
      { from: "2026-11-15T00:00:00.500Z", to: null },
    ],
    archivedUpTo: at("2026-11-20T10:00:00Z"),
  };
  const windows = recoverableWindows([cluster]);

  test("begins with a backup, and ends where archiving did", () => {
    expect(windowsText(windows)).toBe(
      "2026-11-01 01:00:00 UTC to 2026-11-10 12:00:00 UTC; 2026-11-15 01:00:00 UTC to 2026-11-20 10:00:00 UTC",
    );
    expect(recoverableWindows([{ ...cluster, info: stanza("a", []) }])).toEqual([]);
  });

  test.each([
    ["2026-11-09 00:00", "2026-11-08T01:00:00Z"],
    ["2026-11-08 01:00", "2026-11-01T01:00:00Z"],
    ["2026-11-20 10:00", "2026-11-15T01:00:00Z"],
  ])("%s is reached from the backup of %s", (text, label) => {
    const target = parseTarget(text);
    if ("problem" in target) throw new Error(target.problem);
    expect(planRecovery(target, windows)).toMatchObject({ backup: { label } });
  });

  test.each(["2026-11-01 01:00", "2026-11-12 00:00", "2026-11-20 10:00:01"])(
    "%s is refused with the windows",
    (text) => {
      const target = parseTarget(text);
      if ("problem" in target) throw new Error(target.problem);
      expect(planRecovery(target, windows)).toEqual({
        problem: `it is outside of the recoverable time: ${windowsText(windows)}`,
      });
    },
  );

  test("latest begins with the newest backup, also of a cluster that was made anew", () => {
    const later = {
      info: stanza("b", ["2026-11-21T01:00:00Z"]),
      periods: [{ from: "2026-11-21T00:00:00.000Z", to: null }],
      archivedUpTo: at("2026-11-21T02:00:00Z"),
    };
    const both = recoverableWindows([later, cluster]);
    expect(planRecovery({ kind: "latest" }, both)).toMatchObject({ window: { stanza: "b" } });
    const before = planRecovery({ kind: "time", at: at("2026-11-20T09:00:00Z") }, both);
    expect(before).toMatchObject({ window: { stanza: "a" } });
  });

  test("no backup is ever chosen that ended at the target or behind it, nor one of another window", () => {
    const hours = fc.integer({ min: 0, max: 24 * 25 });
    fc.assert(
      fc.property(fc.array(hours, { minLength: 1, maxLength: 8 }), hours, (stops, target) => {
        const moment = (hour: number): Date => new Date(Date.UTC(2026, 10, 1) + hour * 3_600_000);
        const sorted = [...new Set(stops)].sort((a, b) => a - b);
        const info = stanza(
          "a",
          sorted.map((hour) => moment(hour).toISOString()),
        );
        const plan = planRecovery(
          { kind: "time", at: moment(target) },
          recoverableWindows([{ ...cluster, info }]),
        );
        if ("problem" in plan) return;
        expect(plan.backup.stoppedAt < moment(target)).toBe(true);
        expect(plan.window.backups).toContain(plan.backup);
        expect(plan.window.first <= plan.backup.stoppedAt).toBe(true);
      }),
    );
  });
});

test("pgBackRest's report is read", () => {
  const json = JSON.stringify([
    {
      name: "cluster-1",
      status: { code: 0, message: "ok" },
      archive: [{ id: "17-1", max: "00000001000000000000000A", min: "000000010000000000000001" }],
      backup: [
        {
          label: "20261125-033755F",
          type: "full",
          timestamp: { start: 1795577875, stop: 1795577877 },
          info: { size: 23908300, repository: { delta: 2859725, size: 2859725 } },
        },
      ],
    },
    {
      name: "cluster-2",
      status: { code: 2, message: "no valid backups" },
      archive: [],
      backup: [],
    },
    {
      name: "cluster-3",
      status: { code: 1, message: "missing stanza path" },
      archive: [],
      backup: [],
    },
  ]);
  expect(parseInfo(json)).toEqual([
    {
      stanza: "cluster-1",
      problem: undefined,
      backups: [
        {
          label: "20261125-033755F",
          type: "full",
          stoppedAt: at("2026-11-25T03:37:57Z"),
          bytes: 23908300,
          storedBytes: 2859725,
        },
      ],
      newest: { folder: "cluster-1/17-1/0000000100000000", segment: "00000001000000000000000A" },
    },
    { stanza: "cluster-2", problem: undefined, backups: [], newest: undefined },
    { stanza: "cluster-3", problem: "missing stanza path", backups: [], newest: undefined },
  ]);
});

test.each([
  [
    "WARN: something else\nERROR: [041]: unable to open file '/var/lib/pgbackrest/x' for write: [28] No space left on device",
    "pgbackrest: unable to open file '/var/lib/pgbackrest/x' for write: [28] No space left on device; free space on the disk of the archive volume, or keep fewer full backups",
  ],
  [
    "P00  ERROR: [050]: unable to acquire lock on file\n            HINT: is another pgBackRest process running?",
    "pgbackrest: unable to acquire lock on file; another backup is running; wait until it has finished",
  ],
  [
    "ERROR: [104]: archive-push command encountered error(s):\n       repo1: [FileWriteError] unable to write 'x': [28] No space left on device",
    "pgbackrest: archive-push command encountered error(s): repo1: [FileWriteError] unable to write 'x': [28] No space left on device; free space on the disk of the archive volume, or keep fewer full backups",
  ],
  ["", "pgbackrest exited with status 7 without a message"],
])("what pgBackRest says, %j, is told in one line with the fix", (stderr, text) => {
  expect(pgBackRestProblem(stderr, 7)).toBe(text);
});

describe("the log of a recovery", () => {
  const log = `2026-11-21 14:05:00.100 UTC LOG:  last completed transaction was at log time 2026-11-21 14:03:12.5+00
2026-11-21 14:05:00.100 UTC FATAL:  recovery ended before configured recovery target was reached`;

  test("tells the last change", () => {
    expect(lastRecoveredChange(log)).toEqual(at("2026-11-21T14:03:12.5Z"));
    expect(lastRecoveredChange("")).toBeUndefined();
  });

  test("tells why it failed", () => {
    expect(recoveryFailure(log)).toBe(
      "the archive ends before that time; its last transaction is from 2026-11-21T14:03:12.500Z; recover to the end of the archive with: --to latest",
    );
    expect(recoveryFailure("x FATAL:  could not locate required checkpoint record")).toBe(
      "PostgreSQL could not start the recovery instance: could not locate required checkpoint record; try an earlier time, or another backup",
    );
  });
});

test("what is taken over has the moment in its name, which PostgreSQL does not cut", () => {
  const target = { kind: "time", at: at("2026-11-21T14:05:00Z") } as const;
  expect(recoveredName("invoices", target)).toBe("invoices_20261121_1405");
  expect(recoveredName("invoices", { kind: "time", at: at("2026-11-21T14:05:09Z") })).toBe(
    "invoices_20261121_140509",
  );
  expect(recoveredName("invoices", { kind: "latest" })).toBe("invoices_recovered");
  expect(Buffer.byteLength(recoveredName("ü".repeat(31), target))).toBeLessThanOrEqual(63);
  const longest = recoveredDatabaseName("d".repeat(63), target);
  expect(longest).toMatch(/^d+_20261121_1405$/);
  expect(longest).toHaveLength(maxDatabaseNameBytes);
});

describe("the schedule of base backups", () => {
  const choice = archiveConfig(pointInTimeConfigSchema.parse({}));
  const last = (startedAt: string, result: "backed up" | "failed" = "backed up") => ({
    ...{ result, startedAt, type: "full" as const, seconds: 1, text: "" },
  });

  test("has a full one each Sunday and a differential one on the other days, unless it is told", () => {
    expect(choice).toEqual({
      ...{ full: "0 1 * * 0", differential: "0 1 * * 1-6", timeZone: "UTC" },
      ...{ keepFull: 2, mostWaiting: 4 * 2 ** 30 },
    });
    const saturday = last("2026-11-21T01:00:05.000Z");
    expect(dueBaseBackup(choice, saturday, at("2026-11-22T00:59:00Z"))).toBeUndefined();
    expect(dueBaseBackup(choice, saturday, at("2026-11-22T01:00:01Z"))).toBe("full");
    const sunday = last("2026-11-22T01:00:01.000Z");
    expect(dueBaseBackup(choice, sunday, at("2026-11-22T23:00:00Z"))).toBeUndefined();
    expect(dueBaseBackup(choice, sunday, at("2026-11-23T01:00:10Z"))).toBe("differential");
  });

  test("makes up for one that was missed, a full one first", () => {
    expect(
      dueBaseBackup(choice, last("2026-11-19T01:00:05.000Z"), at("2026-11-24T09:00:00Z")),
    ).toBe("full");
  });

  test("tries one that failed again after ten minutes", () => {
    const failed = last("2026-11-22T01:00:00.000Z", "failed");
    expect(dueBaseBackup(choice, failed, at("2026-11-22T01:09:59Z"))).toBeUndefined();
    expect(dueBaseBackup(choice, failed, at("2026-11-22T01:10:00Z"))).toBe("full");
  });
});

test("a wrong key of the settings is told with what it must be", () => {
  const { error } = pointInTimeConfigSchema.safeParse({
    ...{ full: "61 1 * * 0", mostWaiting: "1 MB", keep: { full: 0 } },
  });
  expect(error?.issues.map(({ path, message }) => `${path.join(".")} ${message}`)).toEqual([
    'full "61 1 * * 0": minute must be 0–59, got 61',
    "keep.full must be at least 1",
    'mostWaiting must be at least "64 MB", four WAL segments',
  ]);
});

describe("warnings of the archive", () => {
  const good = { ...quietServer.archive, on: true };

  test("there are none while all is well, or while it is off", () => {
    expect(archiveWarnings(good)).toEqual([]);
    expect(archiveWarnings(quietServer.archive)).toEqual([]);
  });

  test("tell what fails and what it means", () => {
    expect(
      archiveWarnings({ ...good, failure: "no space left", waiting: 3, behindSeconds: 300 }),
    ).toEqual([
      "archiving fails: no space left; 48 MB of WAL are waiting in PostgreSQL's volume, and later changes cannot be recovered",
    ]);
    expect(archiveWarnings({ ...good, waiting: 1, behindSeconds: 300 })).toEqual([
      "archiving is 5 min 00 s behind, with 1 WAL segment to archive",
    ]);
    expect(archiveWarnings({ ...good, problem: "the volume belongs to prod" })).toEqual([
      "the archive cannot be used: the volume belongs to prod",
    ]);
  });
});

test("an archive is as wanted when it is on with what was chosen, and off where nothing was", () => {
  const choice = archiveConfig(pointInTimeConfigSchema.parse({}));
  const seen = { ...quietServer.archive, on: true, choice };
  expect(isArchiveUpToDate(seen, choice)).toBe(true);
  expect(isArchiveUpToDate(seen, { ...choice, keepFull: 3 })).toBe(false);
  expect(isArchiveUpToDate({ ...seen, problem: "lost" }, choice)).toBe(false);
  expect(isArchiveUpToDate(seen, null)).toBe(false);
  expect(isArchiveUpToDate(quietServer.archive, null)).toBe(true);
  expect(isArchiveUpToDate(quietServer.archive, choice)).toBe(false);
});

test("names in an archive that lead out of it are ignored", () => {
  const status = { code: 0, message: "ok" };
  const stanza = (name: string, id: string, max: string) => ({
    ...{ name, status, backup: [], archive: [{ id, max }] },
  });
  const segment = "00000001000000000000000A";
  const found = parseInfo(
    JSON.stringify([
      stanza("../../stagecraft", "17-1", segment),
      stanza("cluster-1/..", "17-1", segment),
      stanza("cluster-1", "../17-1", segment),
      stanza("cluster-2", "17-1", `../${segment}`),
      stanza("cluster-3", "17-1", segment),
    ]),
  );
  expect(found.map(({ stanza, newest }) => [stanza, newest?.folder])).toEqual([
    ["cluster-1", undefined],
    ["cluster-2", undefined],
    ["cluster-3", "cluster-3/17-1/0000000100000000"],
  ]);
});

test("the agent's own calls of pgBackRest get all options from it, and no more than PostgreSQL's", () => {
  expect(repositoryEnvironment(2)).toEqual({
    PGBACKREST_REPO1_PATH: "/var/lib/pgbackrest",
    PGBACKREST_REPO1_RETENTION_FULL: "2",
    PGBACKREST_COMPRESS_TYPE: "zst",
    PGBACKREST_START_FAST: "y",
    PGBACKREST_LOCK_PATH: "/tmp/pgbackrest",
    PGBACKREST_LOG_LEVEL_FILE: "off",
    PGBACKREST_LOG_LEVEL_CONSOLE: "off",
    PGBACKREST_LOG_LEVEL_STDERR: "warn",
    PGBACKREST_LOG_TIMESTAMP: "n",
    PGBACKREST_PG1_PATH: "/var/lib/postgresql/data/pgdata",
    PGBACKREST_PG1_SOCKET_PATH: "/run/postgresql",
    PGBACKREST_PG1_USER: "postgres",
  });
  expect(repositoryEnvironment()).not.toHaveProperty("PGBACKREST_REPO1_RETENTION_FULL");
});

test("each cluster has a part of the archive to itself", () => {
  expect(renderRepositoryConfig(["cluster-1", "cluster-2"], { keepFull: 2, mostWaiting: 100 }))
    .toBe(`# Written by Stagecraft. Change backups.pointInTime of the stack instead.
[global]
repo1-path=/var/lib/pgbackrest
repo1-retention-full=2
archive-push-queue-max=100
compress-type=zst
start-fast=y
lock-path=/tmp/pgbackrest
log-level-file=off
log-level-console=off
log-level-stderr=warn
log-timestamp=n
[cluster-1]
pg1-path=/var/lib/postgresql/data/pgdata
pg1-socket-path=/run/postgresql
pg1-user=postgres
[cluster-2]
pg1-path=/var/lib/postgresql/data/pgdata
pg1-socket-path=/run/postgresql
pg1-user=postgres
`);
  expect(renderArchiveParameters("prod", "cluster-1"))
    .toBe(`# Written by Stagecraft. Change backups.pointInTime of the stack instead.
archive_command = 'stagecraft-pgbackrest prod cluster-1 "%p"'
archive_timeout = 45
`);
});
