import { expect, test } from "vitest";
import type { CatalogueEntry } from "../../../../model/backup/catalogue";
import { backupJobSchema } from "../../../../model/backup/job";
import { overdueJobs } from "../../../../model/backup/overdue-jobs";
import { backupMetrics } from "../../../../model/backup/metrics";

const jobs = { nightly: backupJobSchema.parse({ schedule: "29 3 * * *" }) };
const since = new Date("2026-11-01T00:00:00Z");
const at = (text: string) => new Date(`2026-11-${text}Z`);

function made(id: string, job: string | null = "nightly", isVerified = false): CatalogueEntry {
  return {
    ...{ id, attempt: null, offsite: null, pins: [] },
    backup: {
      ...{ server: "prod", kind: "production", job, postgres: "17", bytes: 100, seconds: 7 },
      databases: [{ name: "shop", bytes: 1000, rows: 5 }],
    },
    verification: isVerified
      ? {
          checkedAt: "2026-11-01T00:00:00Z",
          result: "passed",
          from: "repository",
          restored: true,
          seconds: 1,
          text: "",
        }
      : null,
  };
}

test("backups are overdue two hours after a run that has none, and not before", () => {
  const backups = [made("20261121T032900Z")];
  expect(overdueJobs({ jobs, since }, backups, at("22T05:28:00"))).toEqual([]);
  expect(overdueJobs({ jobs, since }, backups, at("22T05:30:00"))).toEqual([
    "no backup of job nightly since its run of 2026-11-22 03:29 UTC",
  ]);
});

test("the next backup ends it, also one made by hand, and not one of another job", () => {
  const now = at("22T12:00:00");
  expect(overdueJobs({ jobs, since }, [made("20261122T032900Z")], now)).toEqual([]);
  expect(overdueJobs({ jobs, since }, [made("20261122T110000Z", null)], now)).toEqual([]);
  expect(overdueJobs({ jobs, since }, [made("20261122T110000Z", "hourly")], now)).toHaveLength(1);
});

test("a failed attempt is no backup", () => {
  const attempt: CatalogueEntry = { ...made("20261122T032900Z"), backup: null };
  expect(overdueJobs({ jobs, since }, [attempt], at("22T12:00:00"))).toHaveLength(1);
});

test("a backup that is not genuine hides nothing, neither from the alerts nor from the metrics", () => {
  const genuine = made("20261121T032900Z");
  const forged: CatalogueEntry = {
    ...made("20261122T110000Z"),
    authenticity: { state: "rejected", manifest: "a".repeat(64), key: null, problem: "altered" },
  };
  const catalogue = [genuine, forged];
  const now = at("22T12:00:00");
  expect(overdueJobs({ jobs, since }, catalogue, now)).toHaveLength(1);
  const metrics = (entries: readonly CatalogueEntry[]) =>
    backupMetrics({ catalogue: entries, late: [], freeBytes: null }, now);
  const ages = ({ name }: { name: string }): boolean => name === "backup_age_seconds";
  expect(metrics(catalogue).find(ages)).toEqual(metrics([genuine]).find(ages));
});

test("nothing is overdue on a server that has just come up", () => {
  expect(overdueJobs({ jobs, since: at("22T04:00:00") }, [], at("22T23:00:00"))).toEqual([]);
  expect(overdueJobs({ jobs: {}, since }, [], at("22T23:00:00"))).toEqual([]);
});

const failedAttempt: CatalogueEntry = {
  ...made("20261121T100001Z", "hourly"),
  backup: null,
  attempt: {
    ...{ id: "20261121T100001Z", job: "hourly", result: "failed", text: "", logs: [] },
    ...{ startedAt: "2026-11-21T10:00:01Z", finishedAt: "2026-11-21T10:00:01Z" },
  },
};

test("the numbers are of the newest backup of each job, and of its databases", () => {
  const backups = [
    made("20261120T032900Z", "nightly", true),
    made("20261121T032900Z"),
    made("20261121T100000Z", null),
  ];
  const metrics = backupMetrics(
    { catalogue: backups, late: ["x"], freeBytes: null },
    at("21T11:00:00"),
  );
  const samples = (name: string) => metrics.find((metric) => metric.name === name)?.samples;
  expect(samples("backup_age_seconds")).toEqual([
    { labels: { job: "nightly" }, value: 27_060 },
    { labels: { job: "by hand" }, value: 3600 },
  ]);
  expect(samples("backup_last_verified_timestamp_seconds")).toEqual([
    { labels: {}, value: Date.parse("2026-11-20T03:29:00Z") / 1000 },
  ]);
  expect(samples("backup_database_size_bytes")).toEqual([
    { labels: { database: "shop" }, value: 1000 },
  ]);
  expect(samples("backup_overdue")).toEqual([{ labels: {}, value: 1 }]);
  expect(samples("backups")).toEqual([{ labels: {}, value: 3 }]);
  expect(samples("backup_repository_free_bytes")).toEqual([]);
  // A job that is no longer in the schedule.
  const shown = backupMetrics(
    { catalogue: [...backups, failedAttempt], late: [], freeBytes: null, jobs: ["hourly"] },
    at("21T11:00:00"),
  );
  const jobsOf = (name: string) =>
    shown
      .find((metric) => metric.name === name)
      ?.samples.map(({ labels, value }) => [labels["job"], value]);
  expect(jobsOf("backup_size_bytes")).toEqual([["by hand", 100]]);
  expect(jobsOf("backup_failed_attempts")).toEqual([["hourly", 1]]);
});
