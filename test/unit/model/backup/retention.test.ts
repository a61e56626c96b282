import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { calendarOf } from "../../../../model/backup/calendar";
import { isVerified, type CatalogueEntry } from "../../../../model/backup/catalogue";
import {
  retentionSchema,
  parseCalendarSpan,
  spanBefore,
  type RetentionPolicy,
} from "../../../../model/backup/retention-policy";
import { applyRetention } from "../../../../model/backup/retention";
import { formatBackupId, parseBackupId } from "../../../../model/base/names";
import { catalogueEntry, type TestBackup } from "../../../support/backups/catalogue-entry";

const hour = 3_600_000;
const day = 24 * hour;
const now = new Date("2026-11-22T09:00:00Z");

/** What is kept, with the rules: `20261122T032900Z daily`. */
function kept(
  backups: readonly (TestBackup | string)[],
  policy: RetentionPolicy,
  zone?: string,
): string[] {
  const entries = backups.map((backup) =>
    catalogueEntry(typeof backup === "string" ? { at: backup } : backup),
  );
  return applyRetention(entries, zone === undefined ? policy : { ...policy, timeZone: zone }, {
    now,
  })
    .filter(({ keep }) => keep)
    .map(({ id, rules }) => `${id} ${rules.join(" · ")}`);
}

/** A backup at 03:29 of each of the last nights, newest last. */
const nights = (count: number): string[] =>
  Array.from({ length: count }, (_, back) =>
    new Date(Date.parse("2026-11-22T03:29:00Z") - (count - 1 - back) * day).toISOString(),
  );

describe("what is kept", () => {
  test("the newest of each day, week, month and year, each rule by itself", () => {
    expect(kept(nights(400), { last: 1, daily: 3, weekly: 3, monthly: 3, yearly: 2 })).toEqual([
      "20251231T032900Z yearly",
      "20260930T032900Z monthly",
      "20261031T032900Z monthly",
      "20261108T032900Z weekly",
      "20261115T032900Z weekly",
      "20261120T032900Z daily",
      "20261121T032900Z daily",
      "20261122T032900Z last · daily · weekly · monthly · yearly",
    ]);
  });

  test("of several backups of one hour and one day the last", () => {
    const times = ["02:10", "02:50", "03:10", "03:40", "05:00"];
    expect(
      kept(
        times.map((time) => `2026-11-22T${time}:00Z`),
        { hourly: 2, daily: 1 },
      ),
    ).toEqual(["20261122T034000Z hourly", "20261122T050000Z hourly · daily"]);
  });

  test("days without a backup are not counted: after missed nights the older ones stay", () => {
    expect(
      kept(["2026-09-01T03:29Z", "2026-10-01T03:29Z", "2026-11-01T03:29Z"], { daily: 2 }),
    ).toEqual(["20261001T032900Z daily", "20261101T032900Z daily"]);
  });

  test("the oldest as well, while there are fewer than the rule keeps", () => {
    expect(kept(nights(6), { weekly: 4 })).toEqual([
      "20261117T032900Z weekly",
      "20261122T032900Z weekly",
    ]);
    expect(kept(nights(6), { weekly: 1 })).toEqual(["20261122T032900Z weekly"]);
  });

  test("all within a time of the newest one, however long ago that is", () => {
    expect(
      kept(["2026-01-01T03:29Z", "2026-02-01T03:28Z", "2026-02-01T03:29Z", "2026-03-01T03:29Z"], {
        within: "28 d",
      }),
    ).toEqual(["20260201T032900Z within 28 d", "20260301T032900Z within 28 d"]);
  });

  test("everything, by a policy without a rule", () => {
    expect(kept(nights(2), {})).toEqual(["20261121T032900Z no rules", "20261122T032900Z no rules"]);
  });

  test("what a stack names, and it fills its day as any other", () => {
    const backups = nights(3).map((at, index) => ({ at, pins: index === 0 ? ["staging"] : [] }));
    expect(kept(backups, { daily: 1 })).toEqual([
      "20261120T032900Z staging",
      "20261122T032900Z daily",
    ]);
    expect(kept(backups, { daily: 3 })[0]).toBe("20261120T032900Z daily · staging");
  });

  test("what is to come, when a clock was ahead, and it pushes nothing out", () => {
    expect(kept(["2031-01-01T00:00Z", ...nights(2)], { last: 1 })).toEqual([
      "20261122T032900Z last",
      "20310101T000000Z in the future",
    ]);
  });
});

describe("only verified backups count", () => {
  test("those not judged yet stay, while no newer one is verified", () => {
    const backups = nights(4).map((at, index) => ({
      at,
      verified: index < 2 ? ("passed" as const) : null,
    }));
    expect(kept(backups, { last: 1 })).toEqual([
      "20261120T032900Z last",
      "20261121T032900Z not verified yet",
      "20261122T032900Z not verified yet",
    ]);
  });

  test("those of which the checksums alone were compared are not judged", () => {
    expect(kept([{ at: "2026-11-01T03:29Z", verified: "checksums" }], { last: 1 })).toEqual([
      "20261101T032900Z not verified yet",
    ]);
  });

  test("the last verified one stays, whatever has failed since", () => {
    const backups = nights(30).map((at, index) => ({
      at,
      verified: index === 0 ? ("passed" as const) : ("failed" as const),
    }));
    expect(kept(backups, { last: 3 })).toHaveLength(30);
    expect(kept(backups, { last: 3 })[0]).toBe("20261024T032900Z last");
    expect(kept(backups, { last: 3 })[1]).toBe("20261025T032900Z failed, kept for inspection");
  });

  test("one that failed, or was never judged, stays a week when a newer one is verified", () => {
    const backups = (verified: null | "failed"): TestBackup[] => [
      { at: "2026-11-15T08:59Z", verified },
      { at: "2026-11-15T09:01Z", verified },
      { at: "2026-11-22T03:29Z" },
    ];
    expect(kept(backups("failed"), { last: 1 })).toEqual([
      "20261115T090100Z failed, kept for inspection",
      "20261122T032900Z last",
    ]);
    expect(kept(backups(null), { last: 1 })[0]).toBe("20261115T090100Z not verified yet");
    const removed = (verified: null | "failed"): string | undefined =>
      applyRetention(backups(verified).map(catalogueEntry), { last: 1 }, { now })[0]?.why;
    expect(removed("failed")).toBe(
      "it failed its verification, is 7 d old, and a newer one is verified",
    );
    expect(removed(null)).toBe("it was never verified, is 7 d old, and a newer one is verified");
  });

  test("one that is found bad long after it was made stays a week from then on", () => {
    const old = catalogueEntry({ at: "2026-10-01T03:29Z", verified: "failed" });
    const found = (checkedAt: string): CatalogueEntry => ({
      ...old,
      verification: old.verification && { ...old.verification, checkedAt },
    });
    const of = (entry: CatalogueEntry) =>
      applyRetention([entry, catalogueEntry({ at: "2026-11-22T03:29Z" })], { last: 1 }, { now })[0]
        ?.rules;
    expect(of(found("2026-11-22T05:29:00.000Z"))).toEqual(["failed, kept for inspection"]);
    expect(of(found("2026-11-15T05:29:00.000Z"))).toEqual([]);
  });

  test("what is no backup is not judged", () => {
    const attempt: CatalogueEntry = {
      ...catalogueEntry({ at: "2026-11-21T03:29Z" }),
      backup: null,
    };
    expect(applyRetention([attempt], { last: 1 }, { now })).toEqual([]);
  });
});

describe("the calendar", () => {
  const vienna = calendarOf("Europe/Vienna");

  test("weeks are those of ISO 8601, with the 53rd", () => {
    const weeks = [
      "2026-12-27",
      "2026-12-28",
      "2027-01-03",
      "2027-01-04",
      "2028-01-02",
      "2024-12-30",
    ];
    expect(weeks.map((date) => calendarOf("UTC").week(new Date(`${date}T12:00Z`)))).toEqual([
      ...["2026-W52", "2026-W53", "2026-W53", "2027-W01", "2027-W52", "2025-W01"],
    ]);
  });

  test("a day is the zone's: midnight in Vienna is 23:00 UTC in winter, 22:00 in summer", () => {
    expect(vienna.day(new Date("2026-01-10T22:59Z"))).toBe("2026-01-10");
    expect(vienna.day(new Date("2026-01-10T23:00Z"))).toBe("2026-01-11");
    expect(vienna.day(new Date("2026-07-10T22:00Z"))).toBe("2026-07-11");
    expect(vienna.month(new Date("2026-12-31T23:00Z"))).toBe("2027-01");
    expect(vienna.year(new Date("2026-12-31T23:00Z"))).toBe("2027");
  });

  test("the hour that comes twice in autumn is two hours", () => {
    const [first, second] = ["2026-10-25T00:30Z", "2026-10-25T01:30Z"];
    expect(vienna.hour(new Date(first))).not.toBe(vienna.hour(new Date(second)));
    expect(kept([first, second], { hourly: 2 }, "Europe/Vienna")).toHaveLength(2);
  });

  test("29 February is a day", () => {
    expect(spanBefore(new Date("2024-02-29T03:29Z"), { y: 1 })).toEqual(
      new Date("2023-02-28T03:29Z"),
    );
    expect(spanBefore(new Date("2024-03-31T03:29Z"), { m: 1 })).toEqual(
      new Date("2024-02-29T03:29Z"),
    );
    expect(spanBefore(new Date("2024-03-01T03:29Z"), { d: 1, h: 3 })).toEqual(
      new Date("2024-02-29T00:29Z"),
    );
  });
});

describe("a policy in a stack file", () => {
  test.each([
    ["30 d", { d: 30 }],
    ["12h", { h: 12 }],
    ["6 months", { m: 6 }],
    ["1 y 6 months", { y: 1, m: 6 }],
    ["2 weeks", { w: 2 }],
  ])("within: %s", (text, span) => {
    expect(parseCalendarSpan(text)).toEqual(span);
  });

  test.each(["", "30", "d", "6 m", "1 d 2 d", "0 d", "30 dd", "30 d or so", "-1 d", "1.5 d"])(
    "not within: %j",
    (text) => {
      expect(parseCalendarSpan(text)).toBeUndefined();
    },
  );

  test("has whole numbers from 1", () => {
    const parsed = retentionSchema.safeParse({
      daily: 0,
      weekly: 1.5,
      within: "soon",
      dayly: 3,
      timeZone: "Vienna",
    });
    expect(
      parsed.error?.issues.map(({ path, message }) => `${path.join(".")}: ${message}`),
    ).toEqual([
      "daily: must be the number to keep, a whole number from 1",
      "weekly: must be the number to keep, a whole number from 1",
      'within: must be a duration like "30 d", "8 w", "6 months" or "1 y 6 months"',
      "timeZone: must be a time zone like UTC or Europe/Berlin",
      ': Unrecognized key: "dayly"',
    ]);
  });
});

/**
 * The same once more, as simply as possible: what each rule keeps is found by comparing every backup with every other.
 * The calendar is that of `toLocaleString`; weeks are counted from a Monday.
 */
function oracle(
  entries: readonly CatalogueEntry[],
  policy: RetentionPolicy,
  zone: string,
): Set<string> {
  const at = (id: string): Date => parseBackupId(id) ?? new Date(NaN);
  const local = (id: string): string => at(id).toLocaleString("sv-SE", { timeZone: zone });
  const dayNumber = (id: string): number => Date.parse(`${local(id).slice(0, 10)}T00:00Z`) / day;
  const hours = (id: string): string => {
    const wall = Date.parse(`${local(id).replace(" ", "T")}Z`);
    return `${local(id).slice(0, 13)} ${wall - at(id).getTime()}`;
  };
  const sameBucket: Record<string, (id: string) => unknown> = {
    last: (id) => id,
    hourly: hours,
    daily: (id) => local(id).slice(0, 10),
    // 5 January 1970 was a Monday.
    weekly: (id) => Math.floor((dayNumber(id) - 4) / 7),
    monthly: (id) => local(id).slice(0, 7),
    yearly: (id) => local(id).slice(0, 4),
  };
  const ids = entries
    .filter((entry) => isVerified(entry) && at(entry.id) <= now)
    .map(({ id }) => id);
  const keep = new Set<string>();
  const newest = ids.toSorted().at(-1);
  if (newest !== undefined) keep.add(newest);
  for (const [rule, bucket] of Object.entries(sameBucket)) {
    const count = policy[rule as "last"];
    if (count === undefined) continue;
    const leaders = ids.filter(
      (id) => !ids.some((other) => other > id && bucket(other) === bucket(id)),
    );
    for (const id of leaders) {
      if (leaders.filter((other) => other > id).length < count) keep.add(id);
    }
    const oldest = ids.toSorted()[0];
    if (leaders.length < count && oldest !== undefined) keep.add(oldest);
  }
  if (policy.within !== undefined && newest !== undefined) {
    const span = Number(policy.within.replace(" d", "")) * day;
    for (const id of ids) if (at(newest).getTime() - at(id).getTime() <= span) keep.add(id);
  }
  if (Object.keys(policy).length === 0) for (const id of ids) keep.add(id);
  const others = entries.filter(({ id }) => !ids.includes(id) || at(id) > now);
  for (const { id } of others) {
    const isYoung = now.getTime() - at(id).getTime() < 7 * day;
    if (newest === undefined || id > newest || isYoung) keep.add(id);
  }
  for (const { id, pins } of entries) if (pins.length > 0) keep.add(id);
  return keep;
}

const zones = [
  ...[
    "UTC",
    "Europe/Vienna",
    "America/St_Johns",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Asia/Kathmandu",
  ],
];

/** Backups of some years: regular ones with missed nights, bursts around leap days, new years and clock changes, and clocks that were wrong. */
const history = fc
  .array(
    fc.record({
      base: fc.oneof(
        fc.integer({ min: 0, max: 1200 }).map((back) => now.getTime() - back * day),
        fc
          .constantFrom(
            ...["2026-10-25T00:30Z", "2026-03-29T01:00Z", "2024-02-29T03:29Z", "2025-02-28T23:30Z"],
            ...["2026-12-31T23:30Z", "2021-01-03T12:00Z", "2020-12-31T12:00Z", "2026-04-05T15:30Z"],
          )
          .map((text) => Date.parse(text)),
        fc.integer({ min: 1, max: 4000 }).map((ahead) => now.getTime() + ahead * day),
      ),
      offset: fc.integer({ min: -40 * 60, max: 40 * 60 }),
      verified: fc.constantFrom("passed", "passed", "passed", "failed", "checksums", null),
      pins: fc.constantFrom([], [], [], [], ["staging"]),
    }),
    { maxLength: 40 },
  )
  .map((made) => {
    const entries = made.map(({ base, offset, ...rest }) =>
      catalogueEntry({ at: new Date(base + offset * 60_000), ...rest }),
    );
    return [...new Map(entries.map((entry) => [entry.id, entry])).values()];
  });

const policy: fc.Arbitrary<RetentionPolicy> = fc
  .record(
    {
      ...{ last: fc.integer({ min: 1, max: 9 }), hourly: fc.integer({ min: 1, max: 30 }) },
      ...{ daily: fc.integer({ min: 1, max: 9 }), weekly: fc.integer({ min: 1, max: 9 }) },
      ...{ monthly: fc.integer({ min: 1, max: 9 }), yearly: fc.integer({ min: 1, max: 4 }) },
      within: fc.integer({ min: 1, max: 90 }).map((days) => `${days} d`),
    },
    { requiredKeys: [] },
  )
  .map((made) => made);

describe("of any history", () => {
  test("just what another way of reckoning keeps is kept", () => {
    fc.assert(
      fc.property(history, policy, fc.constantFrom(...zones), (entries, keep, zone) => {
        const judged = applyRetention(entries, { ...keep, timeZone: zone }, { now });
        expect(judged.map(({ id }) => id)).toEqual(entries.map(({ id }) => id).sort());
        const ids = judged.filter(({ keep }) => keep).map(({ id }) => id);
        expect(ids).toEqual([...oracle(entries, keep, zone)].sort());
      }),
      { numRuns: 400 },
    );
  });

  test("the newest verified, the named and the future ones stay, and what is removed was older than a verified one", () => {
    fc.assert(
      fc.property(history, policy, (entries, keep) => {
        const removed = new Set(
          applyRetention(entries, keep, { now }).flatMap(({ id, keep }) => (keep ? [] : [id])),
        );
        const good = entries.filter(
          (entry) => isVerified(entry) && entry.id <= formatBackupId(now),
        );
        const newest = good
          .map(({ id }) => id)
          .toSorted()
          .at(-1);
        for (const { id, pins } of entries.filter(({ id }) => removed.has(id))) {
          expect(pins).toEqual([]);
          expect(newest !== undefined && id < newest).toBe(true);
        }
      }),
      { numRuns: 400 },
    );
  });

  test("forgetting night after night keeps what a rule needs: a week later the days are still there", () => {
    const rules: RetentionPolicy = { daily: 7, weekly: 4, monthly: 6, yearly: 2 };
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 30, maxLength: 500 }),
        (luck) => {
          let there: CatalogueEntry[] = [];
          const all: CatalogueEntry[] = [];
          luck.forEach((fate, night) => {
            const at = new Date(Date.parse("2023-12-20T03:29:00Z") + night * day);
            // Two of ten nights have no backup, and one of ten a bad one.
            if (fate < 2) return;
            const made = catalogueEntry({ at, verified: fate === 2 ? "failed" : "passed" });
            all.push(made);
            there.push(made);
            const judged = applyRetention(there, rules, { now: new Date(at.getTime() + hour) });
            const removed = new Set(judged.flatMap(({ id, keep }) => (keep ? [] : [id])));
            there = there.filter(({ id }) => !removed.has(id));
          });
          const good = all.filter(isVerified).map(({ id }) => id);
          const kept = new Set(there.map(({ id }) => id));
          // The last seven days that have a good backup, whatever was forgotten on the way.
          expect(good.slice(-7).every((id) => kept.has(id))).toBe(true);
          const months = [...new Set(good.map((id) => id.slice(0, 6)))].slice(-6);
          for (const month of months) {
            expect(kept).toContain(good.filter((id) => id.startsWith(month)).at(-1));
          }
        },
      ),
      { numRuns: 20 },
    );
  });
});
