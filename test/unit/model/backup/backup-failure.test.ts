import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { escapeFileName, formatDumpName } from "../../../../model/backup/dump-name";
import { explainFailure, backupFailureText } from "../../../../model/backup/backup-failure";
import {
  backupReserve,
  backupSpaceProblem,
  neededBackupBytes,
} from "../../../../model/backup/backup-space";
import { parseDumpName } from "../../../../model/base/names";

describe("the name of a dump", () => {
  const backup = "20261122T032900Z";

  test.each([
    ["timesheets", "directory", "zstd", "pg_dump.prod.timesheets.20261122.032900.dir"],
    ["timesheets", "custom", "zstd", "pg_dump.prod.timesheets.20261122.032900.dump"],
    ["timesheets", "plain", "bzip2", "pg_dump.prod.timesheets.20261122.032900.sql.bz2"],
    ["timesheets", "plain", "none", "pg_dump.prod.timesheets.20261122.032900.sql"],
    ['a "b" c/d', "directory", "none", "pg_dump.prod.a%20%22b%22%20c%2Fd.20261122.032900.dir"],
  ] as const)("of %s in %s, %s", (database, format, compression, name) => {
    expect(formatDumpName({ server: "prod", database, backup }, format, compression)).toBe(name);
  });

  test("tells server, database and moment again, whatever they are called", () => {
    const text = fc.string({ minLength: 1, maxLength: 40, unit: "grapheme" });
    fc.assert(
      fc.property(text, text, (server, database) => {
        const name = formatDumpName({ server, database, backup }, "directory", "zstd");
        expect(parseDumpName(name)).toEqual({ server, database, backup });
        expect(name).toMatch(/^[A-Za-z0-9_.%-]+$/);
      }),
    );
  });

  test("fits into a file system with the longest name that PostgreSQL takes", () => {
    const database = "ü".repeat(31);
    const server = "s".repeat(30);
    const name = formatDumpName({ server, database, backup }, "plain", "zstd");
    expect(name.length).toBeLessThanOrEqual(255);
  });

  test("no two names are escaped alike", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (a, b) => {
        expect(escapeFileName(a) === escapeFileName(b)).toBe(a === b);
      }),
    );
  });
});

describe("why a backup failed", () => {
  const attempt = { server: "prod", job: "nightly", database: "shop", log: "x-backup-shop.log" };

  test.each([
    [
      "pg_dump: error: could not write to file: No space left on device",
      "the disk that holds the backups is full",
      "free space, e.g. by deleting backups you no longer need (npx stagecraft backups prod), or move the volume to a larger disk",
    ],
    [
      "pg_dump: error: query failed: ERROR:  canceling statement due to lock timeout\npg_dump: detail: Query was: LOCK TABLE public.a\nheld by process 7 (ada, psql, idle in transaction)",
      "a table of shop was locked by another session for longer than lockTimeout: held by process 7 (ada, psql, idle in transaction)",
      "end that session, schedule the job at another time, or increase lockTimeout of the job",
    ],
    [
      "pg_dump: error: query failed: ERROR:  canceling statement due to statement timeout",
      "a table of shop was locked by another session for longer than lockTimeout",
      "end that session, schedule the job at another time, or increase lockTimeout of the job",
    ],
    [
      "pg_dump: error: query failed: server closed the connection unexpectedly",
      "the connection was lost while shop was being backed up: PostgreSQL was stopped, or the session was terminated",
      "once PostgreSQL is running again (npx stagecraft status prod): npx stagecraft backup prod",
    ],
    [
      "it exceeded its time limit of 2 h; raise timeLimit of nightly, or find out what is slow",
      "it exceeded its time limit of 2 h",
      "raise timeLimit of nightly, or find out what is slow",
    ],
    [
      "pg_dump: detail: more\npg_dump: error: something odd",
      "something odd",
      "npx stagecraft log prod x-backup-shop.log",
    ],
  ])("%s", (message, cause, fix) => {
    expect(explainFailure(attempt, message)).toEqual({ cause, fix });
  });

  test("is told with what failed, its cause and the fix", () => {
    expect(backupFailureText(attempt, { cause: "it rains", fix: "wait" })).toBe(
      `no backup of prod was made by nightly: shop could not be dumped
  cause     it rains
  fix       wait
  log       npx stagecraft log prod x-backup-shop.log`,
    );
    expect(
      backupFailureText({ server: "prod", job: null }, { cause: "it rains", fix: "wait" }),
    ).toBe("no backup of prod was made\n  cause     it rains\n  fix       wait");
  });
});

describe("the room that a backup needs", () => {
  const former = {
    bytes: 100,
    databases: [{ name: "shop", compression: "zstd" as const, bytes: 1000 }],
  };

  test("is that of the last one, grown with its databases", () => {
    expect(neededBackupBytes([{ name: "shop", bytes: 2000 }], "zstd", former)).toBe(200);
    expect(neededBackupBytes([{ name: "shop", bytes: 500 }], "zstd", former)).toBe(100);
  });

  test("is the least to expect where the last one was of something else", () => {
    expect(neededBackupBytes([{ name: "other", bytes: 1000 }], "zstd", former)).toBe(50);
    expect(neededBackupBytes([{ name: "shop", bytes: 1000 }], "none", former)).toBe(300);
    expect(neededBackupBytes([{ name: "shop", bytes: 1000 }], "none", undefined)).toBe(300);
  });

  test("is told of when it is not there", () => {
    expect(backupSpaceProblem(5, 5)).toBeUndefined();
    expect(backupSpaceProblem(2 ** 31, 2 ** 20)).toBe(
      "the backup needs about 2 GB, but only 1 MB are free on the backups volume: no space left on device",
    );
    expect(backupReserve(64 * 2 ** 20)).toBeLessThan(2 * 2 ** 20);
    expect(backupReserve(2 ** 40)).toBe(64 * 2 ** 20);
  });
});
