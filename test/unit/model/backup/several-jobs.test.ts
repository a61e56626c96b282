import fc from "fast-check";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { backupsToVerify } from "../../../../model/backup/backups-to-verify";
import { isVerified, type CatalogueEntry } from "../../../../model/backup/catalogue";
import type { BegunRuns } from "../../../../model/backup/due-backups";
import { backupJobSchema } from "../../../../model/backup/job";
import { overdueJobs } from "../../../../model/backup/overdue-jobs";
import { overdueVerifications } from "../../../../model/backup/overdue-verification";
import { applyRetention } from "../../../../model/backup/retention";
import { defaultRetention, type RetentionPolicy } from "../../../../model/backup/retention-policy";
import { verificationConfigSchema } from "../../../../model/backup/verification-config";
import { parseBackupId } from "../../../../model/base/names";
import { catalogueEntry, type TestBackup } from "../../../support/backups/catalogue-entry";
import { checkout } from "../../../support/files/checkout";

const day = 86_400_000;
const first = Date.parse("2026-01-01T00:00:00Z");
const at = (night: number, time: string): Date =>
  new Date(first + night * day + Date.parse(`1970-01-01T${time}Z`));

const caseFile = readFileSync(join(checkout, "test/support/cases/backups/two-jobs.yaml"), "utf8");
const { "stagecraft:backups": section } = parse(caseFile) as Record<
  string,
  { readonly jobs: { readonly nightly: unknown; readonly early: unknown } }
>;

/** Two jobs: all databases at 02:00, and one of them at 05:00. */
const jobs = {
  nightly: backupJobSchema.parse(section?.jobs.nightly),
  early: backupJobSchema.parse(section?.jobs.early),
};
const nightly = (night: number): TestBackup => ({
  ...{ at: at(night, "02:00:00"), databases: ["billing", "timesheets"], allDatabases: true },
  verified: null,
});
const early = (night: number): TestBackup => ({
  ...{ at: at(night, "05:00:00"), databases: ["timesheets"], allDatabases: false },
  ...{ job: "early", verified: null },
});

/** Verifies what needs it, as the nightly job does; `fails` says of which backups the verification fails. */
function verifyAll(
  catalogue: readonly CatalogueEntry[],
  policy: RetentionPolicy,
  now: Date,
  fails: (id: string) => boolean = () => false,
): CatalogueEntry[] {
  let entries = [...catalogue];
  for (;;) {
    const [next] = backupsToVerify(entries, [{ policy, catalogue: entries }], now);
    if (next === undefined) return entries;
    const verification = catalogueEntry({
      at: now,
      verified: fails(next) ? "failed" : "passed",
    }).verification;
    entries = entries.map((entry) => (entry.id === next ? { ...entry, verification } : entry));
  }
}

function prune(
  catalogue: readonly CatalogueEntry[],
  policy: RetentionPolicy,
  now: Date,
): CatalogueEntry[] {
  const judged = applyRetention(catalogue, policy, { now });
  const removed = new Set(judged.flatMap(({ id, keep }) => (keep ? [] : [id])));
  return catalogue.filter(({ id }) => !removed.has(id));
}

const goodOf = (entries: readonly CatalogueEntry[], database: string): string[] =>
  entries
    .filter((entry) => isVerified(entry))
    .filter(({ backup }) => backup?.databases.some(({ name }) => name === database))
    .map(({ id }) => id);

describe("a job of all databases and a later one of some of them", () => {
  test("each database has its verified, daily, weekly and monthly backups every night", () => {
    let there: CatalogueEntry[] = [];
    const nights = 240;
    for (let night = 0; night < nights; night++) {
      there.push(catalogueEntry(nightly(night)), catalogueEntry(early(night)));
      const now = at(night, "05:29:00");
      there = prune(verifyAll(there, defaultRetention, now), defaultRetention, now);
      for (const database of ["billing", "timesheets"]) {
        const good = goodOf(there, database);
        const newest = database === "billing" ? "T020000Z" : "T050000Z";
        const days = Array.from({ length: Math.min(7, night + 1) }, (_, back) => night - back);
        for (const one of days) {
          const id = `${at(one, "00:00:00").toISOString().slice(0, 10).replaceAll("-", "")}${newest}`;
          expect(good, `${database} on night ${night}`).toContain(id);
        }
        const months = new Set(good.map((id) => id.slice(0, 6)));
        const begun = new Set(
          Array.from({ length: night + 1 }, (_, one) =>
            at(one, "05:00:00").toISOString().slice(0, 7),
          ),
        );
        expect(months.size).toBeGreaterThanOrEqual(Math.min(6, begun.size));
      }
    }
    // A full backup each, besides the first ones of the year while there are fewer than six months.
    expect(goodOf(there, "billing").length).toBeLessThanOrEqual(17);
    expect(there.length).toBeLessThanOrEqual(2 * 17 + 2);
  });

  test("a backup whose verification fails is replaced by another one of its period", () => {
    const entries = [2, 3, 4].map((hour) =>
      catalogueEntry({ ...nightly(0), at: at(0, `0${hour}:00:00`) }),
    );
    const verified = verifyAll(entries, { daily: 1 }, at(0, "05:29:00"), (id) =>
      id.endsWith("T040000Z"),
    );
    expect(verified.map(({ verification }) => verification?.result)).toEqual([
      ...[undefined, "passed", "failed"],
    ]);
  });

  test("of each hour that a rule names one is verified, and of no more", () => {
    const hours = Array.from({ length: 30 }, (_, hour) =>
      catalogueEntry({ ...nightly(0), at: new Date(first + (hour + 0.5) * 3_600_000) }),
    );
    const verified = verifyAll(hours, { hourly: 6 }, at(2, "00:00:00"));
    expect(goodOf(verified, "billing")).toEqual(hours.slice(-6).map(({ id }) => id));
    const daily = verifyAll(hours, { daily: 7 }, at(2, "00:00:00"));
    // The newest of both days, and the oldest because there are fewer than seven days.
    expect(goodOf(daily, "billing")).toHaveLength(3);
  });

  test("first comes the database whose verified backup is the oldest", () => {
    const entries = [
      catalogueEntry({ ...nightly(0), verified: "passed" }),
      catalogueEntry({ ...early(3), verified: "passed" }),
      catalogueEntry(nightly(4)),
      catalogueEntry(early(4)),
    ];
    const policies = [{ policy: defaultRetention, catalogue: entries }];
    expect(backupsToVerify(entries, policies, at(4, "05:29:00"))).toEqual([
      "20260105T020000Z",
      "20260105T050000Z",
    ]);
  });
});

const names = ["billing", "shop", "timesheets"];
/** Backups of any of the databases, over some months. */
const history = fc
  .array(
    fc.record({
      hours: fc.integer({ min: 0, max: 5000 }),
      databases: fc.subarray(names, { minLength: 1 }),
      isComplete: fc.boolean(),
      verified: fc.constantFrom("passed", "passed", "failed", "checksums", null),
    }),
    { maxLength: 40 },
  )
  .map((made) => {
    const entries = made.map(({ hours, databases, isComplete, verified }) =>
      catalogueEntry({
        ...{ at: new Date(first + hours * 3_600_000), databases, verified },
        ...(isComplete && { allDatabases: true }),
      }),
    );
    return [...new Map(entries.map((entry) => [entry.id, entry])).values()];
  });
const policies = fc.record(
  {
    last: fc.integer({ min: 1, max: 4 }),
    hourly: fc.integer({ min: 1, max: 9 }),
    daily: fc.integer({ min: 1, max: 9 }),
    weekly: fc.integer({ min: 1, max: 4 }),
    monthly: fc.integer({ min: 1, max: 4 }),
    within: fc.integer({ min: 1, max: 60 }).map((days) => `${days} d`),
  },
  { requiredKeys: [] },
);
const now = at(250, "00:00:00");

describe("of any backups of any databases", () => {
  test("no database ever loses its last good backup", () => {
    fc.assert(
      fc.property(history, policies, (entries, policy) => {
        const kept = prune(entries, policy, now);
        for (const name of names) {
          expect(goodOf(kept, name).toSorted().at(-1)).toBe(
            goodOf(entries, name).toSorted().at(-1),
          );
        }
      }),
      { numRuns: 300 },
    );
  });

  test("what a rule retains of a database alone stays, whatever other databases are backed up", () => {
    fc.assert(
      fc.property(history, policies, fc.constantFrom(...names), (entries, policy, name) => {
        // Without the statement that a backup is of all databases, each counts for those in it alone.
        const known = entries.map(withoutScope);
        const own = known.filter(({ backup }) =>
          backup?.databases.some((one) => one.name === name),
        );
        const alone = own.map((entry) => ({
          ...entry,
          backup: entry.backup && { ...entry.backup, databases: [{ name, bytes: 1, rows: 1 }] },
        }));
        const kept = new Set(prune(known, policy, now).map(({ id }) => id));
        for (const { id } of prune(alone, policy, now)) expect(kept).toContain(id);
      }),
      { numRuns: 200 },
    );
  });

  test("a backup that is removed unverified has newer verified ones of all its databases", () => {
    fc.assert(
      fc.property(history, policies, (entries, policy) => {
        const kept = new Set(prune(entries, policy, now).map(({ id }) => id));
        for (const { id, backup } of entries.filter(
          (entry) => !isVerified(entry) && !kept.has(entry.id),
        )) {
          for (const { name } of backup?.databases ?? []) {
            expect(goodOf(entries, name).some((good) => good > id)).toBe(true);
          }
        }
      }),
      { numRuns: 200 },
    );
  });

  test("what is verified is what the rules retain then", () => {
    fc.assert(
      fc.property(history, policies, (entries, policy) => {
        const verified = verifyAll(entries, policy, now);
        const kept = new Set(prune(verified, policy, now).map(({ id }) => id));
        const before = new Set(entries.filter(isVerified).map(({ id }) => id));
        for (const { id } of verified.filter(isVerified)) {
          if (!before.has(id)) expect(kept).toContain(id);
        }
      }),
      { numRuns: 100 },
    );
  });
});

function withoutScope({ backup, ...entry }: CatalogueEntry): CatalogueEntry {
  if (!backup) return { ...entry, backup };
  const { allDatabases: _, ...rest } = backup;
  return { ...entry, backup: rest };
}

test("backups of a database that was dropped expire as those of the others do, except the last good one", () => {
  const entries = Array.from({ length: 100 }, (_, night) =>
    catalogueEntry({
      ...nightly(night),
      ...{ verified: "passed", databases: night < 10 ? ["billing", "old"] : ["billing"] },
    }),
  );
  const kept = prune(entries, { daily: 7 }, at(100, "00:00:00"));
  expect(goodOf(kept, "old")).toEqual([entries[9]?.id]);
  expect(kept).toHaveLength(8);
});

describe("lateness", () => {
  const since = at(0, "00:00:00");
  const verify = verificationConfigSchema.parse({});
  const verified = (backup: TestBackup): CatalogueEntry =>
    catalogueEntry({ ...backup, verified: "passed" });

  test("is of each job: a manual backup of some databases stands in for no job of all", () => {
    const entries = [catalogueEntry(nightly(1)), catalogueEntry(early(1))];
    const manual = (databases: readonly string[], allDatabases?: boolean): CatalogueEntry =>
      catalogueEntry({
        ...{ at: at(2, "10:00:00"), job: null, databases, verified: null },
        ...(allDatabases !== undefined && { allDatabases }),
      });
    const late = (made: CatalogueEntry): string[] =>
      overdueJobs({ jobs, since }, [...entries, made], at(2, "12:00:00"));
    const both = [
      "no backup of job nightly since its run of 2026-01-03 02:00 UTC",
      "no backup of job early since its run of 2026-01-03 05:00 UTC",
    ];
    expect(late(manual(["timesheets"], false))).toEqual(both.slice(0, 1));
    expect(late(manual(["timesheets"]))).toEqual(both.slice(0, 1));
    expect(late(manual(["billing"], false))).toEqual(both);
    expect(late(manual(["billing", "timesheets"], true))).toEqual([]);
    expect(late(manual(["billing", "timesheets"]))).toEqual([]);
  });

  test("does not begin while the job runs well, nor for one that waits for it, and goes on after a failed run", () => {
    const entries = [catalogueEntry(nightly(1)), catalogueEntry(early(1))];
    const begun: BegunRuns = {
      "backup/nightly": { run: at(2, "02:00:00"), startedAt: at(2, "02:00:01"), limit: 12 * 3600 },
    };
    const late = (time: string, night = 2, known = entries): string[] =>
      overdueJobs({ jobs, since, begun }, known, at(night, time));
    expect(late("11:00:00")).toEqual([]);
    expect(late("14:06:00")).toHaveLength(2);
    // The night before failed, and this run is no backup yet.
    expect(late("03:00:00", 2, [catalogueEntry(early(1))])).toEqual([
      "no backup of job nightly since its run of 2026-01-02 02:00 UTC",
    ]);
  });

  test("counts from the opening of the window that a run waits for", () => {
    const windowed = {
      hourly: backupJobSchema.parse({ schedule: "0 * * * *", window: "22:00-06:00" }),
    };
    const made = catalogueEntry({ ...nightly(1), at: at(1, "05:00:00"), job: "hourly" });
    const late = (time: string, night = 1): string[] =>
      overdueJobs({ jobs: windowed, since }, [made], at(night, time));
    expect(late("20:00:00")).toEqual([]);
    expect(late("23:30:00")).toEqual([]);
    expect(late("00:10:00", 2)).toEqual([
      "no backup of job hourly since its run of 2026-01-02 22:00 UTC",
    ]);
  });

  test("is of the off-site copy of each job", () => {
    const entries = [catalogueEntry(nightly(1)), catalogueEntry(early(1))];
    const offsite = {
      ...{ result: "uploaded" as const, remote: "", at: at(1, "05:10:00").toISOString() },
      ...{ bytes: 1, sha256: null, text: "" },
    };
    const copied = entries.map((entry, index) => (index === 1 ? { ...entry, offsite } : entry));
    const late = (known: readonly CatalogueEntry[]): string[] =>
      overdueJobs({ jobs, since, offsite: true }, known, at(1, "12:00:00"));
    expect(late(copied)).toEqual([
      "no off-site copy of job nightly since its run of 2026-01-02 02:00 UTC",
    ]);
    expect(overdueJobs({ jobs, since }, entries, at(1, "12:00:00"))).toEqual([]);
  });

  test("of verifications never begins while all goes well, at any minute of the day", () => {
    const entries = [1, 2].flatMap((night) => [verified(nightly(night)), verified(early(night))]);
    for (let minute = 0; minute < 1440; minute += 7) {
      const now = new Date(at(2, "00:00:00").getTime() + minute * 60_000);
      const known = entries.filter(({ id, backup }) => {
        const time = parseBackupId(id) ?? now;
        // The verification takes half an hour.
        const end = Math.max(time.getTime(), at(2, "05:59:00").getTime());
        return backup !== null && (time < at(2, "00:00:00") || end <= now.getTime());
      });
      expect(overdueVerifications({ jobs, since }, verify, known, now), now.toISOString()).toEqual(
        [],
      );
    }
  });

  test("of verifications is of each database", () => {
    const entries = [
      ...[verified(nightly(1)), verified(early(1)), catalogueEntry(nightly(2)), verified(early(2))],
    ];
    const late = (time: string, known = entries): string[] =>
      overdueVerifications({ jobs, since }, verify, known, at(2, time));
    expect(late("07:20:00")).toEqual([]);
    expect(late("07:40:00")).toEqual([
      "the newest verified backup of billing is 29 h old; one of 2026-01-03 02:00 UTC should have been verified",
    ]);
    const none = [catalogueEntry(nightly(2)), catalogueEntry(early(2))];
    expect(late("07:40:00", none)).toEqual([
      "no backup of billing has been verified yet, 2 d after the schedule was set",
      "no backup of timesheets has been verified yet, 2 d after the schedule was set",
    ]);
    const begun: BegunRuns = {
      "verification/verify": {
        run: at(2, "05:29:00"),
        startedAt: at(2, "05:29:01"),
        limit: 43_200,
      },
    };
    expect(
      overdueVerifications({ jobs, since, begun }, verify, entries, at(2, "15:00:00")),
    ).toEqual([]);
  });

  test("by a limit is of each database, and its age is counted up to a verification that runs", () => {
    const limited = verificationConfigSchema.parse({ limit: "27 h" });
    const entries = [verified(nightly(1)), verified(early(1))];
    const late = (time: string): string[] =>
      overdueVerifications({ jobs, since }, limited, entries, at(2, time));
    expect(late("04:59:00")).toEqual([]);
    expect(late("05:20:00")).toEqual([
      "the newest verified backup of billing is 27 h old (limit 27 h 00 min)",
    ]);
  });
});
