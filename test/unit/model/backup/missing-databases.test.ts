import { expect, test } from "vitest";
import type { CatalogueEntry } from "../../../../model/backup/catalogue";
import { missingDatabases, newestBackupOf } from "../../../../model/backup/missing-databases";
import { catalogueEntry } from "../../../support/backups/catalogue-entry";

const now = new Date("2026-11-22T12:00:00Z");

function backup(at: string, job: string, names: readonly string[], verified = true) {
  const entry = catalogueEntry({ at, verified: verified ? "passed" : null });
  const databases = names.map((name) => ({ name, bytes: 1, rows: 1 }));
  return { ...entry, backup: { ...entry.backup, job, databases } } as CatalogueEntry;
}

const catalogue = [
  backup("2026-10-01T03:29Z", "gone", ["dropped"]),
  backup("2026-11-20T03:29Z", "nightly", ["crm", "dropped", "postgres", "timesheets"]),
  backup("2026-11-21T03:29Z", "nightly", ["audit", "crm", "postgres", "timesheets"], false),
  backup("2026-11-22T11:00Z", "hourly", ["timesheets"]),
];

test("what the newest backup of a job has, and the server has not, is missing", () => {
  expect(missingDatabases(catalogue, new Set(["timesheets"]), now)).toEqual([
    { database: "audit", backup: "20261121T032900Z" },
    { database: "crm", backup: "20261121T032900Z" },
  ]);
  const all = new Set(["timesheets", "audit", "crm"]);
  expect(missingDatabases(catalogue, all, now)).toEqual([]);
  expect(missingDatabases([], all, now)).toEqual([]);
});

test("each database has a newest backup of its own, verified unless that is not asked for", () => {
  expect(newestBackupOf(catalogue, "crm", false, now)).toBe("20261120T032900Z");
  expect(newestBackupOf(catalogue, "crm", true, now)).toBe("20261121T032900Z");
  expect(newestBackupOf(catalogue, "timesheets", false, now)).toBe("20261122T110000Z");
  expect(newestBackupOf(catalogue, "nope", true, now)).toBeUndefined();
});
