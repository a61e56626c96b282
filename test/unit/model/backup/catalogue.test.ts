import { describe, expect, test } from "vitest";
import {
  compareCounts,
  compareFiles,
  backupProblemsText,
} from "../../../../model/backup/manifest-comparison";
import { newestVerified } from "../../../../model/backup/catalogue";
import { deletionProblems } from "../../../../model/backup/deletion-problems";
import { backupAgeProblem, type ObservedBackups } from "../../../../model/backup/age-limit";
import { pinsFromStacks } from "../../../../model/backup/pinned-backups";
import {
  defaultVerification,
  verificationConfigSchema,
} from "../../../../model/backup/verification-config";
import { backupJobSchema } from "../../../../model/backup/job";
import { catalogueEntry } from "../../../support/backups/catalogue-entry";

const now = new Date("2026-11-22T09:00:00Z");

describe("files are compared with the manifest", () => {
  const wanted = [
    { path: "a", bytes: 5000, sha256: "a".repeat(64) },
    { path: "b", bytes: 10, sha256: "b".repeat(64) },
  ];

  test("all as they were", () => {
    expect(compareFiles(wanted, wanted)).toEqual([]);
  });

  test("altered, cut short, grown, missing and added ones", () => {
    expect(
      compareFiles(wanted, [
        { path: "a", bytes: 5000, sha256: "c".repeat(64) },
        { path: "b", bytes: 9, sha256: null },
        { path: "c", bytes: 1, sha256: null },
      ]),
    ).toEqual([
      "a was modified: its SHA-256 differs",
      "b is truncated: 9 B instead of 10 B",
      "c does not belong to this backup",
    ]);
    expect(compareFiles(wanted, [{ path: "a", bytes: 5001, sha256: null }])).toEqual([
      "a has grown: 5,001 of 5,000 bytes",
      "b is missing",
    ]);
  });

  test("what is wrong is told in a few lines", () => {
    expect(backupProblemsText("20261122T032900Z", ["1", "2", "3", "4", "5", "6", "7"])).toBe(
      "backup 20261122T032900Z failed verification:\n  1\n  2\n  3\n  4\n  5\n  and 2 further problems",
    );
  });
});

describe("a restored copy is compared with the manifest", () => {
  const database = {
    name: "shop",
    largeObjects: 1,
    tables: [
      { schema: "public", name: "a.b", rows: 1200 },
      { schema: "public.a", name: "b", rows: 1 },
    ],
  };
  const table = (schema: string, name: string, rows: number, ofExtension = false) => ({
    ...{ schema, name, rows, ofExtension },
  });

  test("to the row; two names that read the same are two tables", () => {
    const tables = [table("public", "a.b", 1200), table("public.a", "b", 1)];
    expect(compareCounts(database, { tables, largeObjects: 1 })).toEqual([]);
    const swapped = [table("public", "a.b", 1), table("public.a", "b", 1200)];
    expect(compareCounts(database, { tables: swapped, largeObjects: 0 })).toEqual([
      "shop: table public.a.b has 1 of 1,200 rows",
      "shop: table public.a.b has 1,200 of 1 row",
      "shop: 0 of 1 large object",
    ]);
  });

  test("tables that are missing or too many; an extension brings its own", () => {
    const tables = [table("public", "a.b", 1200), table("x", "y", 0), table("x", "z", 7, true)];
    expect(compareCounts(database, { tables, largeObjects: 1 })).toEqual([
      "shop: table public.a.b was not restored",
      "shop: table x.y is not in the manifest",
    ]);
  });
});

describe("backups are late", () => {
  const seen: ObservedBackups = {
    newest: "20261122T032900Z",
    newestVerified: "20261122T032900Z",
    verifiedLimit: "26 h",
    since: "2026-10-01T00:00:00.000Z",
  };
  test.each([
    ["not when the newest verified one is young enough", seen, undefined],
    ["not without a limit", { ...seen, newestVerified: null, verifiedLimit: null }, undefined],
    ["not without a schedule", { ...seen, newestVerified: null, since: null }, undefined],
    [
      "when the newest verified one is too old",
      { ...seen, newestVerified: "20261121T065900Z" },
      "the newest verified backup is 26 h old (limit 26 h 00 min)",
    ],
    [
      "when none is verified some time after the schedule was set",
      { ...seen, newestVerified: null },
      "no backup has been verified yet, 52 d after the schedule was set (limit 26 h 00 min)",
    ],
    [
      "when there are no backups",
      { ...seen, newest: null, newestVerified: null },
      "there is no backup yet, 52 d after the schedule was set (limit 26 h 00 min)",
    ],
    [
      "not yet, when the schedule is new",
      { ...seen, newestVerified: null, since: "2026-11-21T09:00:00.000Z" },
      undefined,
    ],
  ] as const)("%s", (_, backups, text) => {
    expect(backupAgeProblem(backups, now)).toBe(text);
  });

  test("by what is verified and not in the future", () => {
    const catalogue = [
      catalogueEntry({ at: "2026-11-20T03:29Z" }),
      catalogueEntry({ at: "2026-11-21T03:29Z", verified: null }),
      catalogueEntry({ at: "2031-01-01T03:29Z" }),
    ];
    expect(newestVerified(catalogue, now)).toBe("20261120T032900Z");
    expect(newestVerified([], now)).toBeNull();
  });
});

describe("a backup must not be deleted", () => {
  const catalogue = [
    catalogueEntry({ at: "2026-11-19T03:29Z", pins: ["staging", "dev"] }),
    catalogueEntry({ at: "2026-11-20T03:29Z" }),
    catalogueEntry({ at: "2026-11-21T03:29Z", verified: null }),
  ];

  test("while a stack names it", () => {
    expect(deletionProblems(["20261119T032900Z"], catalogue)).toEqual([
      "20261119T032900Z is used by staging and dev: set data.backup of that stack to another id first",
    ]);
  });

  test("when it is the last verified one, or all of them together are", () => {
    expect(deletionProblems(["20261120T032900Z"], catalogue)).toEqual([]);
    expect(deletionProblems(["20261120T032900Z"], catalogue.slice(1))).toEqual([
      "20261120T032900Z is the last verified backup: verify another one first",
    ]);
    const unnamed = catalogue.map((entry) => ({ ...entry, pins: [] }));
    expect(deletionProblems(["20261119T032900Z", "20261120T032900Z"], unnamed)).toEqual([
      "these are all the verified backups: keep one of them, or verify another one first",
    ]);
    expect(deletionProblems(["20261121T032900Z"], catalogue)).toEqual([]);
  });

  test("when it is the last verified one of a database, unless that database is named", () => {
    const [first, second] = catalogue.slice(1);
    const shop = [{ name: "shop", bytes: 1, rows: 1 }];
    const both = [
      { ...first, backup: first?.backup && { ...first.backup, databases: shop } },
      { ...second, ...catalogueEntry({ at: "2026-11-21T03:29Z" }) },
    ] as (typeof catalogue)[number][];
    expect(deletionProblems(["20261120T032900Z"], both)).toEqual([
      "no other verified backup has shop: verify another one first, or add --last-of shop if that is no longer needed",
    ]);
    expect(deletionProblems(["20261120T032900Z"], both, ["shop"])).toEqual([]);
  });

  test("that is not there", () => {
    expect(deletionProblems(["20200101T000000Z"], [])).toEqual([
      "the repository has no backup 20200101T000000Z",
    ]);
  });
});

test("stacks name the backups of the server that their data is from", () => {
  const named = [
    { stack: "staging", from: "server:prod", backup: "20261121T032900Z" },
    { stack: "dev", from: "volume:acme-prod-backups", backup: "20261120T032900Z" },
    { stack: "prod", from: "dumps", backup: "20261119T032900Z" },
    { stack: "other", from: "server:prod", backup: undefined },
  ];
  expect(pinsFromStacks("prod", "acme-prod-backups", named)).toEqual([
    { backup: "20261121T032900Z", by: "staging" },
    { backup: "20261120T032900Z", by: "dev" },
  ]);
  expect(pinsFromStacks("staging", "acme-staging-backups", named)).toEqual([]);
});

test("what is made is verified, unless nothing is made", () => {
  expect(defaultVerification({})).toBeUndefined();
  expect(defaultVerification({ nightly: backupJobSchema.parse({ schedule: "@daily" }) })).toEqual(
    verificationConfigSchema.parse({ schedule: "29 5 * * *" }),
  );
});
