import { describe, expect, test } from "vitest";
import { backupRows } from "../../../../cli/text/backup-status";
import { backupText } from "../../../../cli/text/backup";
import { plainPaint } from "../../../../cli/base/paint";
import type { BackupsObservation } from "../../../../model/backup/protocol";
import { quietServer } from "../../../support/servers/observation";

const now = new Date("2026-11-22T09:00:00Z");
const rows = (more: Partial<BackupsObservation>): string[][] =>
  backupRows("prod", { ...quietServer.backups, ...more }, now, plainPaint);
/** The last row of a server with that job. */
const runs = ["", "nightly runs next at 23 Nov 2026 03:29 UTC, 24 Nov 2026 03:29 UTC"];
const nightly = {
  ...{ kind: "backup" as const, name: "nightly", last: null },
  next: ["2026-11-23T03:29:00.000Z", "2026-11-24T03:29:00.000Z"],
};

describe("status shows the backups of a server", () => {
  test("without backups and without a schedule", () => {
    expect(rows({})).toEqual([["backups", "no backup yet · no schedule"]]);
  });

  test("with the newest one, whether it is verified, and the next runs", () => {
    const newest = "20261122T032900Z";
    const next = "next 23 Nov 2026 03:29 UTC by nightly";
    expect(rows({ newest, newestVerified: newest, jobs: [nightly] })).toEqual([
      ["backups", `${newest}, 5 h old, verified · ${next}`],
      runs,
    ]);
    expect(rows({ newest, newestVerified: "20261121T032900Z", jobs: [nightly] })).toEqual([
      ["backups", `${newest}, 5 h old, unverified, last verified 29 h old · ${next}`],
      runs,
    ]);
    const running = { kind: "backup" as const, name: null, startedAt: now.toISOString() };
    expect(rows({ newest, running, jobs: [nightly] })).toEqual([
      ["backups", `${newest}, 5 h old, unverified · a backup is running · ${next}`],
      runs,
    ]);
  });

  test("with those of each database, if jobs back up different ones", () => {
    const [full, early] = ["20261122T020000Z", "20261122T050000Z"];
    const databases = [
      { name: "billing", newest: full, newestVerified: "20261121T020000Z" },
      { name: "shop", newest: full, newestVerified: "20261121T020000Z" },
      { name: "timesheets", newest: early, newestVerified: early },
    ];
    const seen = { newest: early, newestVerified: early, jobs: [nightly] };
    expect(rows({ ...seen, databases }).slice(1)).toEqual([
      ["", "billing and shop: 20261122T020000Z, 7 h old, last verified 31 h old"],
      ["", "timesheets: 20261122T050000Z, 4 h old, verified"],
      runs,
    ]);
    expect(rows({ ...seen, databases: databases.slice(2) })).toHaveLength(2);
  });

  test("with the newest off-site copy, and why a newer backup has none", () => {
    const newest = "20261122T032900Z";
    const offsite = { remote: "sftp:backups/prod", newest, problem: null };
    expect(rows({ newest, newestVerified: newest, offsite }).slice(1)).toEqual([
      ["off-site", `${newest}, 5 h old · sftp:backups/prod`],
    ]);
    const problem = "no copy at sftp:backups/prod/x: connection refused";
    expect(rows({ newest, offsite: { ...offsite, newest: null, problem } }).slice(1)).toEqual([
      ["off-site", "no copy yet · sftp:backups/prod"],
      ["", problem],
    ]);
  });

  test("with what went wrong last, and where the log is", () => {
    const lastAttempt = {
      ...{ id: "20261122T032900Z", job: "nightly", result: "failed" as const },
      ...{ startedAt: "2026-11-22T03:29:00.000Z", finishedAt: "2026-11-22T03:30:00.000Z" },
      text: "no backup of prod was made by nightly\n  cause     the disk that holds the backups is full\n  fix       make room",
      logs: ["20261122T032900Z-backup-shop.log"],
    };
    expect(rows({ lastAttempt, jobs: [nightly] }).slice(1)).toEqual([
      [
        "",
        "failed 5 h ago: no backup of prod was made by nightly (the disk that holds the backups is full)",
      ],
      ["", "npx stagecraft log prod 20261122T032900Z-backup-shop.log"],
      runs,
    ]);
  });

  test("with the key that they are signed with, and those that are rejected", () => {
    const newest = "20261122T032900Z";
    const signingKey = `ed25519:${"A".repeat(43)}=`;
    const rejected = [
      `backup ${newest} has no signature: npx stagecraft backups verify <stack> ${newest}`,
    ];
    expect(rows({ newest, signingKey, rejected }).slice(1)).toEqual([
      ["", `backup ${newest} has no signature: npx stagecraft backups verify prod ${newest}`],
      ["", `signed with ${signingKey}`],
    ]);
  });

  test("with what is overdue, a row for each reason", () => {
    const late = ["no backup of job nightly since its run of 2026-11-22 03:29 UTC", "the newest"];
    expect(rows({ late, jobs: [nightly] }).slice(1)).toEqual([
      ...late.map((reason) => ["", `${reason} · npx stagecraft backups prod`]),
      runs,
    ]);
  });

  test("with maintenance that failed", () => {
    const last = {
      ...{ startedAt: now.toISOString(), finishedAt: now.toISOString(), succeeded: false },
      text: "maintenance weekly of prod failed\n  cause     …",
    };
    const weekly = { kind: "maintenance" as const, name: "weekly", next: [], last };
    expect(rows({ jobs: [weekly] }).slice(1)).toEqual([
      ["", "weekly failed: maintenance weekly of prod failed"],
    ]);
  });
});

test("a manual backup is shown in two lines, as unverified", () => {
  const text = "backup 20261122T032900Z   timesheets · 1.9 GB · 11,702,113 rows · 12 s";
  expect(
    backupText("prod", {
      ...{ kind: "backup", name: null, succeeded: true, backup: "20261122T032900Z", text },
      ...{ startedAt: now.toISOString(), finishedAt: now.toISOString() },
    }),
  ).toBe(`     ${text} · unverified\n     list        npx stagecraft backups prod`);
});
