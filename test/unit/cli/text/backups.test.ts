import { expect, test } from "vitest";
import { backupsText, pruneText } from "../../../../cli/text/backups";
import type { CatalogueEntry, OffsiteCopy } from "../../../../model/backup/catalogue";
import type { Catalogue } from "../../../../model/backup/catalogue-protocol";
import { applyRetention } from "../../../../model/backup/retention";
import { catalogueEntry } from "../../../support/backups/catalogue-entry";

const now = new Date("2026-11-22T09:00:00Z");

const failed: CatalogueEntry = {
  ...catalogueEntry({ at: "2026-11-20T03:29Z" }),
  backup: null,
  verification: null,
  attempt: {
    ...{ id: "20261120T032900Z", job: "nightly", result: "failed" },
    ...{ startedAt: "2026-11-20T03:29:00.000Z", finishedAt: "2026-11-20T03:29:30.000Z" },
    text: "no backup was made: nightly failed\n  cause     disk full\n  fix       free some space",
    logs: ["20261120T032900Z-timesheets.log"],
  },
};

const offsite: OffsiteCopy = {
  result: "uploaded",
  ...{ remote: "sftp:backups", at: "2026-11-15T04:00:00.000Z", bytes: 1, sha256: null, text: "" },
};

const entries: CatalogueEntry[] = [
  { ...catalogueEntry({ at: "2026-11-15T03:29Z" }), offsite },
  failed,
  catalogueEntry({ at: "2026-11-21T03:29Z", pins: ["staging"] }),
  { ...catalogueEntry({ at: "2026-11-22T03:29Z", verified: null }), offsite },
  catalogueEntry({ at: "2026-11-22T04:00Z", verified: "failed" }),
];

const catalogue: Catalogue = {
  ...{ server: "prod", now: now.toISOString(), entries },
  judgements: applyRetention(entries, { daily: 2 }, { now }),
  next: "2026-11-23T03:29:00.000Z",
  verifiedLimit: "26 h",
  late: null,
  freeBytes: 212 * 2 ** 30,
};

test("the table shows the verification and retention of each backup, and failed attempts", () => {
  expect(backupsText(catalogue, "prod")).toBe(
    `id                age   databases   size    verified               retained by                  where
20261122T040000Z  5 h   timesheets  1.9 GB  ✘ verification failed  failed, kept for inspection  here, why: npx stagecraft backups prod --json
20261122T032900Z  5 h   timesheets  1.9 GB  not yet                not verified yet             here, off-site
20261121T032900Z  29 h  timesheets  1.9 GB  ✔ restored 24 s        daily · staging              here
20261120T032900Z  2 d   –           –       ✘ disk full            not a backup                 log: npx stagecraft log prod 20261120T032900Z-timesheets.log
20261115T032900Z  7 d   timesheets  1.9 GB  ✔ restored 24 s        daily                        here, off-site
next: 23 Nov 2026 03:29 UTC · newest verified 29 h old (limit 26 h) · 212 GB free`,
  );
});

test("unsigned, accepted and rejected backups are marked, and the reasons follow the table", () => {
  const authenticity = (state: "unsigned" | "accepted" | "rejected", problem: string | null) => ({
    authenticity: { state, problem, key: null, manifest: "a".repeat(64) },
  });
  const problem =
    "backup 20261121T032900Z has no signature; accept it with: npx stagecraft backups verify <stack> 20261121T032900Z";
  const marked: CatalogueEntry[] = [
    { ...catalogueEntry({ at: "2026-11-19T03:29Z" }), ...authenticity("unsigned", null) },
    { ...catalogueEntry({ at: "2026-11-20T03:29Z" }), ...authenticity("accepted", null) },
    { ...catalogueEntry({ at: "2026-11-21T03:29Z" }), ...authenticity("rejected", problem) },
  ];
  const judgements = applyRetention(marked, { daily: 1 }, { now });
  expect(backupsText({ ...catalogue, entries: marked, judgements }, "prod")).toBe(
    `id                age   databases   size    verified                    retained by                    where
20261121T032900Z  29 h  timesheets  1.9 GB  ✘ rejected                  rejected, kept for inspection  here
20261120T032900Z  2 d   timesheets  1.9 GB  ✔ restored 24 s · accepted  daily                          here
20261119T032900Z  3 d   timesheets  1.9 GB  ✔ restored 24 s · unsigned  expires: no rule retains it    here
backup 20261121T032900Z has no signature; accept it with: npx stagecraft backups verify prod 20261121T032900Z
unsigned: made by an earlier version
accepted: by an operator, by the digest of its manifest
next: 23 Nov 2026 03:29 UTC · newest verified 2 d old (limit 26 h) · 212 GB free`,
  );
});

test("a backup that is off-site only is in the table, with the rule that retains it", () => {
  const { backup, ...gone } = { ...catalogueEntry({ at: "2026-11-15T03:29Z" }), offsite };
  const alone: CatalogueEntry = {
    ...{ ...gone, attempt: null, backup: null },
    ...(backup ? { away: backup } : {}),
  };
  const judgements = [{ id: alone.id, keep: true, rules: ["weekly"], why: "" }];
  const text = backupsText({ ...catalogue, entries: [alone], judgements }, "prod");
  expect(text).toBe(
    `id                age  databases   size    verified  retained by  where
20261115T032900Z  7 d  timesheets  1.9 GB  ✔         weekly       off-site
next: 23 Nov 2026 03:29 UTC · none verified (limit 26 h) · 212 GB free`,
  );
});

test("without backups and without a schedule, the summary says so; an overdue backup stands out", () => {
  const none: Catalogue = {
    ...{ ...catalogue, entries: [], judgements: [], next: null, freeBytes: null },
    late: "there is no backup yet, 2 d after the schedule was set (limit 26 h)",
  };
  expect(backupsText(none, "prod")).toBe(
    "no backups yet\nnext: no schedule · there is no backup yet, 2 d after the schedule was set (limit 26 h)",
  );
});

test("forget shows for each backup whether it is retained, and why", () => {
  const old = catalogueEntry({ at: "2026-11-01T03:29Z" });
  const judgements = applyRetention([old, ...entries], { last: 1 }, { now });
  expect(pruneText({ judgements, removed: [old.id] })).toBe(
    `20261101T032900Z  removed   no rule retains it
20261115T032900Z  expires   no rule retains it
20261121T032900Z  retained  last · staging
20261122T032900Z  retained  not verified yet
20261122T040000Z  retained  failed, kept for inspection`,
  );
});
