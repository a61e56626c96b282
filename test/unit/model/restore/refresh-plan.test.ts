import { describe, expect, test } from "vitest";
import { withBackup } from "../../../../cli/project/pinned-backup";
import { refreshedText } from "../../../../cli/text/refresh";
import type { BackedUpDatabase, Manifest } from "../../../../model/backup/manifest";
import type { Verification } from "../../../../model/backup/catalogue";
import type { RestoreResult } from "../../../../model/restore/protocol";
import { chooseBackup, type AvailableBackups } from "../../../../model/restore/available-backups";
import {
  findDatabase,
  compatibilityProblems,
  dumpKindProblem,
} from "../../../../model/restore/compatibility";
import { repositoryOf } from "../../../../model/stack-file/data-origin";
import type { RefreshPlan } from "../../../../model/restore/refresh-plan";
import type { PreparationReport } from "../../../../model/restore/preparation";
import { summarizeRestore } from "../../../../model/restore/summary";
import { stackReport } from "../../../../model/restore/stack-report";
import { planLines } from "../../../../model/restore/refresh-plan-text";

const [older, newer] = ["20261114T032900Z", "20261121T032900Z"] as const;

describe("the backup that is meant", () => {
  const at = (id: string, verified: boolean): AvailableBackups[number] => ({
    ...{ id, server: "prod", databases: ["timesheets"], verified },
  });

  test("is the newest verified one, or any when that is accepted", () => {
    const backups = [at(older, true), at(newer, false)];
    expect(chooseBackup("latest", backups)).toEqual({ backup: older });
    expect(chooseBackup("latest", backups, true)).toEqual({ backup: newer });
    expect(chooseBackup(newer, backups)).toEqual({ backup: newer });
  });

  test.each<[string, AvailableBackups, string]>([
    ["latest", [], "no latest backup: there is no backup yet"],
    [
      "latest",
      [at(newer, false)],
      "no latest backup: none of the 1 backups has been verified by a restore yet",
    ],
    [
      "yesterday",
      [],
      '--backup must be a backup id like 20261121T032900Z, or latest, got "yesterday"',
    ],
    [older, [at(newer, true)], `there is no backup ${older}; the nearest: ${newer}`],
    [older, [], `there is no backup ${older}; there are no backups`],
  ])("%s is refused", (wanted, backups, problem) => {
    expect(chooseBackup(wanted, backups)).toEqual({ problem });
  });
});

describe("what speaks against a backup", () => {
  const database = {
    ...{ name: "timesheets", extensions: [{ name: "postgis", version: "3.5" }] },
  } as unknown as BackedUpDatabase;
  const manifest = {
    ...{ id: newer, server: "qa", kind: "staging", postgres: { version: "18.1" } },
    databases: [database],
  } as unknown as Manifest;
  const target = { major: 17, extensions: new Set(["pg_trgm"]) };
  const proven = { result: "passed", restored: true, text: "" } as unknown as Verification;

  test("is told all at once", () => {
    const known = { manifest, verification: null };
    expect(compatibilityProblems(known, database, { kind: "production" }, target)).toEqual([
      `backup ${newer} of qa is unverified; verify it with: npx stagecraft backups verify qa ${newer}, or set data.acceptUnverified: true`,
      `backup ${newer} is from qa, a staging server, but production is recovered only from its own backups; to allow it, set data.acceptKind: staging`,
      `backup ${newer} is from PostgreSQL 18, newer than this server's 17; increase postgres.version`,
      "timesheets uses 1 extension that this server lacks: postgis; install them in its image",
    ]);
  });

  test("is nothing where all is well, or accepted", () => {
    const room = { major: 18, extensions: new Set(["postgis"]) };
    const known = { manifest, verification: proven };
    expect(compatibilityProblems(known, database, { kind: "staging" }, room)).toEqual([]);
    const accepted = { kind: "production", acceptKind: "staging", acceptUnverified: true } as const;
    expect(
      compatibilityProblems({ manifest, verification: null }, database, accepted, room),
    ).toEqual([]);
  });

  test("is never overruled when it did not pass", () => {
    const verification = { ...proven, result: "failed", text: "t.dat was altered" } as const;
    const room = { major: 18, extensions: new Set(["postgis"]) };
    const request = { kind: "staging", acceptUnverified: true } as const;
    expect(compatibilityProblems({ manifest, verification }, database, request, room)).toEqual([
      `backup ${newer} of qa failed verification: t.dat was altered; take another one`,
    ]);
  });

  test("is a database that it has not, of several", () => {
    expect(findDatabase(manifest, "called otherwise here")).toBe(database);
    const two = { ...manifest, databases: [database, { ...database, name: "wiki" }] } as Manifest;
    expect(findDatabase(two, "wiki")).toMatchObject({ name: "wiki" });
    expect(findDatabase(two, "shop")).toEqual({
      problem: `backup ${newer} of qa has no database shop; it has timesheets, wiki; take another backup, or set database.name`,
    });
  });

  test.each([
    ["production", undefined],
    ["prod", undefined],
    ["elsewhere", undefined],
    ["constructor", undefined],
    ["staging", "staging"],
    ["dev", "development"],
  ])("on production is a dump's name: of %s", (server, kind) => {
    const source = { name: "a dump", server };
    const problem = dumpKindProblem({ kind: "production", source });
    if (kind === undefined) expect(problem).toBeUndefined();
    else expect(problem).toContain(`a dump is from ${server}, a ${kind} server`);
    expect(dumpKindProblem({ kind: "staging", source })).toBeUndefined();
  });
});

describe("a plan", () => {
  const scripts = ["upgrade-1.8-1.9.sql", "upgrade-1.9-1.10.sql"];
  const plan: RefreshPlan = {
    ...{ server: "staging", database: "timesheets", now: older, broughtBackFrom: null },
    backup: {
      ...{ id: newer, server: "prod", takenAt: "2026-11-21T03:29:00.000Z", rows: 11_702_113 },
      ...{ bytes: 1.9 * 2 ** 30, postgres: "17.11", verifiedAt: "2026-11-21T04:10:00.000Z" },
    },
    ...{
      copy: null,
      unread: null,
      upgrades: { scripts, pending: ["upgrade-1.9-1.10.sql"] },
      keep: ["testers"],
    },
    masks: { columns: 14, tables: 5, classify: "strict", classified: 131 },
    defuse: ["mail off", "jobs off"],
    disk: { needed: 4.1 * 2 ** 30, free: 212 * 2 ** 30 },
    past: [39, 42, 40].map((seconds) => ({ seconds, awaySeconds: 0.14 })),
    problems: [],
  };
  const now = new Date("2026-11-21T09:29:00Z");

  test("tells the backup, what is done to it, what it needs and how long it takes", () => {
    expect(planLines(plan, now)).toEqual([
      "staging ← prod 20261121T032900Z     6 h old · 1.9 GB · PostgreSQL 17.11 · verified 04:10",
      "  upgrade scripts   1 pending    upgrade-1.9-1.10.sql",
      "  masks             14 columns in 5 tables; strict: all 131 columns are classified",
      "  defuse            2 statements: mail off, jobs off",
      "  preserve          testers",
      "  disk              needs 4.1 GB, 212 GB free",
      "  duration          about 40 s (last: 39 s, 42 s, 40 s); downtime less than 1 s",
    ]);
  });

  test.each([
    [null, "2 scripts; pending ones are known once the data is restored"],
    [[], "none of 2 pending"],
    [scripts, "2 pending    upgrade-1.8-1.9.sql, upgrade-1.9-1.10.sql"],
    [Array.from({ length: 14 }, (_, n) => `${n}`), /^14 pending {4}0, .*, 11 and 2 more$/],
  ])("tells which upgrade scripts are pending, as far as it is known: %j", (pending, text) => {
    const line = planLines({ ...plan, upgrades: { scripts, pending } }, now)[1];
    expect(line?.replace("  upgrade scripts   ", "")).toMatch(text);
  });

  test("says that columns are compared by the update, where the backup does not tell them", () => {
    const masks = { columns: 14, tables: 5, classify: "strict" as const, classified: null };
    expect(planLines({ ...plan, masks }, now)[2]).toBe(
      "  masks             14 columns in 5 tables; strict: every column must be classified",
    );
  });

  test("tells what speaks against it", () => {
    expect(planLines({ ...plan, problems: ["there is no room"] }, now).at(-1)).toBe(
      "  ✘                 there is no room",
    );
  });

  test("tells of a former copy that comes back, and of nothing else", () => {
    expect(
      planLines({ ...plan, backup: null, broughtBackFrom: "timesheets__previous" }, now),
    ).toEqual([
      `staging: timesheets has ${older}`,
      "  roll back         timesheets__previous has these contents and is swapped in unchanged",
    ]);
  });

  test("tells of an off-site copy what can be known before it is fetched", () => {
    const copy = { place: `sftp:backups/prod/${newer}.tar.age`, bytes: 300 * 2 ** 20 };
    expect(planLines({ ...plan, backup: null, disk: null, copy }, now).slice(0, 2)).toEqual([
      `staging ← sftp:backups/prod/${newer}.tar.age     300 MB · unverified`,
      "  copy              fetched, decrypted and compared with its manifest during the update; further requirements are known only then",
    ]);
  });

  test("says so where the backup cannot be looked up yet", () => {
    expect(planLines({ ...plan, backup: null, unread: "stagecraft-prod-backups" }, now)[1]).toBe(
      "  backup            read from stagecraft-prod-backups once this update has mounted it for the agent",
    );
  });
});

test.each([
  [{ from: "server:prod" }, "shop-prod-backups"],
  [{ from: "volume:elsewhere" }, "elsewhere"],
  [{ from: "offsite", offsite: { remote: "s3:a/b", server: "prod" } }, "s3:a/b/prod"],
  [{ from: "dumps" }, undefined],
  [{ dump: "a.sql" }, undefined],
])("the place that %j leads to is told as it is stamped", (data, place) => {
  expect(repositoryOf(data as Parameters<typeof repositoryOf>[0], "shop")).toBe(place);
});

test("another backup in a stack file leaves all else as it is, comments too", () => {
  const text = `config:
  stagecraft:postgres:
    port: 15433 # beside dev
  # Another day here is a refresh.
  stagecraft:data:
    from: server:prod
    backup: ${older}
encryptionsalt: v1:x
`;
  expect(withBackup(text, newer)).toBe(text.replace(older, newer));
  const dump = "config:\n  # of the tests\n  stagecraft:data: { dump: a.sql, acceptKind: true }\n";
  expect(withBackup(dump, newer, "server:prod")).toBe(
    `config:\n  # of the tests\n  stagecraft:data: { acceptKind: true, from: server:prod, backup: ${newer} }\n`,
  );
  expect(withBackup("config:\n  a:b: c\n", newer, "server:prod")).toBe(
    `config:\n  a:b: c\n  stagecraft:data:\n    from: server:prod\n    backup: ${newer}\n`,
  );
});

test("a refresh is told with its time, what was done, the way back and the report", () => {
  const result = {
    ...{ result: "restored", database: "timesheets", awaySeconds: 0.14 },
    source: { name: newer, backup: newer, server: "prod" },
    steps: [
      { name: "restore", seconds: 30 },
      { name: "mask", seconds: 11 },
    ],
    prepared: {
      upgrades: { applied: [{}, {}] },
      masks: { values: 10_214_882 },
      keep: { tables: [{ aside: [{ rows: 3 }] }] },
    },
  } as unknown as RestoreResult;
  const asked = { stack: "staging", backup: newer, report: ".stagecraft/reports/x.json" };
  expect(refreshedText(result, asked)).toBe(
    [
      "staging has prod's data of 21 Nov 2026 03:29 UTC",
      "  41 s in total · downtime 0.14 s · 2 upgrade scripts · 10,214,882 values masked · 1 table preserved · 3 rows skipped",
      "  previous version  timesheets__previous · to roll back: npx stagecraft rollback staging",
      "  report            .stagecraft/reports/x.json · pulumi stack output report -s staging",
    ].join("\n"),
  );
  expect(refreshedText(undefined, asked)).toBe(`staging already has the contents of ${newer}`);
});

describe("a report for a stack output", () => {
  const script = (n: number) => ({
    ...{ package: "application", from: `${n}`, to: `${n + 1}`, name: `upgrade-${n}-${n + 1}.sql` },
    ...{ seconds: 1, warnings: [] },
  });
  const aside = [{ reason: "unique conflict", rows: 2, example: "eve@canary.example" }] as const;
  const table = { table: "testers", state: "carried over", rows: 9, carried: 7, same: 0 } as const;
  const prepared = (scripts: number, name: string): PreparationReport => ({
    upgrades: {
      ...{ result: "applied", problems: [], notes: [], versions: [], seconds: 1, text: "" },
      applied: Array.from({ length: scripts }, (_, n) => script(n)),
    },
    defuse: {
      statements: Array.from({ length: scripts }, () => ({ name, rows: 3, seconds: 1 })),
      seconds: 1,
    },
    keep: {
      tables: [{ ...table, aside: [...aside], shortened: 0, notes: ["eve@canary.example"] }],
      ...{ seconds: 1, text: "eve@canary.example" },
    },
  });

  test("tells what was done, and no value of the data", () => {
    const summary = summarizeRestore(prepared(1, "jobs off"));
    expect(summary).toEqual({
      upgrades: ["upgrade-0-1.sql"],
      defused: [{ name: "jobs off", rows: 3 }],
      kept: [{ table: "testers", rows: 9, carried: 7, aside: 2 }],
      more: 0,
    });
    const report = stackReport({
      ...{ result: "restored", server: "staging", database: "shop", restoreId: "x-1" },
      source: { name: newer, backup: newer, repository: "prod-backups" },
      ...{ startedAt: "2026-11-22T09:14:00.000Z", awaySeconds: 0.14, text: "shop ← it", summary },
      steps: [
        { name: "restore", seconds: 1.2 },
        { name: "swap", seconds: 0.14 },
      ],
    });
    expect(report).toEqual({
      ...{ result: "restored", backup: newer, source: newer, text: "shop ← it" },
      ...{ startedAt: "2026-11-22T09:14:00.000Z", seconds: 1.34, awaySeconds: 0.14 },
      ...{ steps: { restore: 1.2, swap: 0.14 }, ...summary },
    });
  });

  test("stays short, however much was done", () => {
    const summary = summarizeRestore(prepared(3000, "x".repeat(5000)));
    expect(summary).toMatchObject({ more: 5900 });
    expect(JSON.stringify(summary).length).toBeLessThan(16_384);
  });
});
