import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cronProblem, lastRun, nextRuns } from "../../../../model/backup/cron";
import { dueRun, mayRun } from "../../../../model/backup/due-runs";
import { backupJobSchema } from "../../../../model/backup/job";
import { type Timing } from "../../../../model/backup/timing";
import { isWithin, parseWindow, windowEnd } from "../../../../model/backup/daily-window";

const at = (text: string): Date => new Date(text);
const iso = (moments: readonly Date[]): string[] =>
  moments.map((moment) => moment.toISOString().slice(0, 16));

function timing(schedule: string, more: Partial<Timing> = {}): Timing {
  return backupJobSchema.parse({ schedule, ...more });
}

describe("a schedule", () => {
  test.each([
    ["61 3 * * *", "minute must be 0–59, got 61"],
    ["29 24 * * *", "hour must be 0–23, got 24"],
    ["29 3 0 * *", "day of the month must be 1–31, got 0"],
    ["29 3 * 13 *", "month must be 1–12 or jan–dec, got 13"],
    ["29 3 * * 8", "day of the week must be 0–7 or sun–sat, got 8"],
    ["29 3 * * moon", "day of the week must be 0–7 or sun–sat, got moon"],
    ["5-1 3 * * *", "minute must be an ascending range, got 5-1"],
    ["*/0 * * * *", "the step of minute must be a number from 1, got 0"],
    ["3/5 * * * *", "minute must have a range before its step, such as */5, got 3/5"],
    ["1,,2 * * * *", "minute must be a number, a range like 1-5, a list, * or */5, got nothing"],
    [
      "*/90 * * * *",
      "the step of minute must be at most 60, got 90; list the times instead, such as 0 0,3,6 * * *",
    ],
    [
      "0 8-18/25 * * *",
      "the step of hour must be at most 24, got 25; list the times instead, such as 0 3 1,15 * *",
    ],
    ["0 0 31 2 *", "names a day that does not exist"],
    [
      "@nightly",
      "must be one of @hourly, @daily, @midnight, @weekly, @monthly, @yearly, @annually, or five fields like 29 3 * * *",
    ],
    [
      "29 3 * *",
      "must have five fields (minute, hour, day of the month, month, day of the week) like 29 3 * * *, or be a name like @daily; got 4",
    ],
    [
      "0 29 3 * * *",
      "must have five fields (minute, hour, day of the month, month, day of the week) like 29 3 * * *, or be a name like @daily; got 6",
    ],
  ])("%s is refused", (schedule, problem) => {
    expect(cronProblem(schedule)).toBe(`"${schedule}": ${problem}`);
  });

  test.each([
    "29 3 * * *",
    "*/5 8-18 * * mon-fri",
    "0 0 1,15 jan-mar *",
    "@daily",
    "0 0 29 2 *",
    "0-30/10 * * * 7",
  ])("%s is fine", (schedule) => {
    expect(cronProblem(schedule)).toBeUndefined();
  });

  test("at a time that does not exist on a day runs when the clocks have gone forward, once", () => {
    const berlin = { schedule: "30 2 * * *", timeZone: "Europe/Berlin" };
    expect(iso(nextRuns(berlin, at("2026-03-27T12:00:00Z"), 3))).toEqual([
      "2026-03-28T01:30",
      "2026-03-29T01:00",
      "2026-03-30T00:30",
    ]);
  });

  test("at a time that exists twice on a day runs once", () => {
    const berlin = { schedule: "30 2 * * *", timeZone: "Europe/Berlin" };
    expect(iso(nextRuns(berlin, at("2026-10-24T12:00:00Z"), 2))).toEqual([
      "2026-10-25T00:30",
      "2026-10-26T01:30",
    ]);
  });

  test.each([
    ["15,45 2 * * *", ["03-28T01:15", "03-28T01:45", "03-29T01:00", "03-30T00:15"]],
    ["*/30 2 * * *", ["03-28T01:00", "03-28T01:30", "03-29T01:00", "03-30T00:00"]],
    ["15 2,3 * * *", ["03-28T01:15", "03-28T02:15", "03-29T01:00", "03-29T01:15"]],
    ["15 */2 29 3 *", ["03-28T23:15", "03-29T01:00", "03-29T02:15", "03-29T04:15"]],
    ["0-10/5 2-3 29 3 *", ["03-29T01:00", "03-29T01:05", "03-29T01:10"]],
  ])("of several times that do not exist on a day runs at the change: %s", (schedule, runs) => {
    const berlin = { schedule, timeZone: "Europe/Berlin" };
    const found = iso(nextRuns(berlin, at("2026-03-27T12:00:00Z"), runs.length));
    expect(found).toEqual(runs.map((run) => `2026-${run}`));
  });

  test.each([
    ["15,45 2 * * *", ["10-25T00:15", "10-25T00:45", "10-26T01:15", "10-26T01:45"]],
    ["*/30 2 * * *", ["10-25T00:00", "10-25T00:30", "10-26T01:00", "10-26T01:30"]],
    ["15 1-3 * * *", ["10-24T23:15", "10-25T00:15", "10-25T02:15", "10-26T00:15"]],
  ])("of several times that exist twice on a day runs once at each: %s", (schedule, runs) => {
    const berlin = { schedule, timeZone: "Europe/Berlin" };
    const found = iso(nextRuns(berlin, at("2026-10-24T12:00:00Z"), runs.length));
    expect(found).toEqual(runs.map((run) => `2026-${run}`));
  });

  test("of every hour goes on counting while the clocks are put back", () => {
    const berlin = { schedule: "0 * * * *", timeZone: "Europe/Berlin" };
    expect(iso(nextRuns(berlin, at("2026-10-24T23:30:00Z"), 3))).toEqual([
      "2026-10-25T00:00",
      "2026-10-25T01:00",
      "2026-10-25T02:00",
    ]);
  });

  test("of 29 February waits for the leap year", () => {
    expect(
      iso(nextRuns({ schedule: "0 0 29 2 *", timeZone: "UTC" }, at("2026-03-01T00:00:00Z"), 2)),
    ).toEqual(["2028-02-29T00:00", "2032-02-29T00:00"]);
  });
});

const moments = fc.date({
  min: at("2024-01-01T00:00:00Z"),
  max: at("2030-12-31T00:00:00Z"),
  noInvalidDate: true,
});
const schedules = fc.record({
  schedule: fc.constantFrom(
    "29 3 * * *",
    "30 2 * * *",
    "*/20 * * * *",
    "0 1-5 * * sun",
    "15 2 1 * *",
    "@weekly",
  ),
  timeZone: fc.constantFrom(
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kolkata",
  ),
});

/** The days around the changes of the clocks: by an hour at 02:00, 01:00 and midnight, by half an hour, and over a whole day. */
const changes = fc.constantFrom(
  ...(
    [
      ["Europe/Berlin", "2026-03-29"],
      ["Europe/Berlin", "2026-10-25"],
      ["America/New_York", "2026-03-08"],
      ["America/New_York", "2026-11-01"],
      ["Europe/Lisbon", "2026-03-29"],
      ["Africa/Cairo", "2026-04-24"],
      ["Africa/Cairo", "2026-10-30"],
      ["Australia/Lord_Howe", "2026-04-05"],
      ["Australia/Lord_Howe", "2026-10-04"],
      ["Pacific/Apia", "2011-12-30"],
    ] as const
  ).map(([timeZone, date]) => ({ timeZone, date })),
);
const few = (max: number) =>
  fc.uniqueArray(fc.integer({ min: 0, max }), { minLength: 1, maxLength: 3 });

test("of the times that a schedule names, each takes place once on each day, whatever the clocks do", () => {
  fc.assert(
    fc.property(changes, few(59), few(23), ({ timeZone, date }, minutes, hours) => {
      const schedule = `${minutes.join()} ${hours.join()} * * *`;
      const middle = Date.parse(`${date}T12:00:00Z`);
      const [from, until] = [at(new Date(middle - 86_400_000).toISOString()), middle + 86_400_000];
      const runs = nextRuns({ schedule, timeZone }, from, 100).filter(
        (run) => run.getTime() <= until,
      );
      // Read the clock of each minute, and note when it first shows a time or is beyond it.
      const expected = new Set<number>();
      const seen = new Set<string>();
      let before = localMinute(timeZone, from);
      for (let time = from.getTime() + 60_000; time <= until; time += 60_000) {
        const shown = localMinute(timeZone, new Date(time));
        for (let minute = before + 1; minute <= shown; minute++) {
          const wall = new Date(minute * 60_000);
          const isNamed =
            minutes.includes(wall.getUTCMinutes()) && hours.includes(wall.getUTCHours());
          if (isNamed && !seen.has(`${minute}`)) expected.add(time);
          seen.add(`${minute}`);
        }
        before = shown;
      }
      expect(runs.map((run) => run.getTime())).toEqual([...expected]);
    }),
    { numRuns: 25 },
  );
});

/** What the clock of a zone shows, in minutes. */
function localMinute(timeZone: string, time: Date): number {
  const clock = clocks.get(timeZone) ?? clockOf(timeZone);
  clocks.set(timeZone, clock);
  return Math.floor(Date.parse(`${clock.format(time).replace(" ", "T")}Z`) / 60_000);
}

const clocks = new Map<string, Intl.DateTimeFormat>();
const clockOf = (timeZone: string): Intl.DateTimeFormat =>
  new Intl.DateTimeFormat("sv-SE", { timeZone, dateStyle: "short", timeStyle: "medium" });

test("every schedule that is accepted can be evaluated", () => {
  const number = fc.integer({ min: 0, max: 70 }).map(String);
  const item = fc.oneof(
    number,
    fc.constantFrom("*", "?", "L", "jan-mar", "sat-sun", "mon#1", "1W", "15-10"),
    fc.tuple(fc.constantFrom("*", "0-5", "1-12", "3"), number).map((parts) => parts.join("/")),
    fc.tuple(number, number).map((parts) => parts.join("-")),
  );
  // Few of them, because a day that does not exist takes long to find out.
  const days = fc.constantFrom("*", "1,5", "1-6/9", "*/40", "L", "1");
  const months = fc.constantFrom("*", "jan-mar/2", "*/12", "13");
  const field = fc.array(item, { minLength: 1, maxLength: 2 }).map((items) => items.join());
  fc.assert(
    fc.property(fc.tuple(field, field, days, months, days), (fields) => {
      const schedule = fields.join(" ");
      if (cronProblem(schedule) !== undefined) return;
      expect(nextRuns({ schedule, timeZone: "UTC" }, at("2026-01-01T00:00:00Z"), 1)).toHaveLength(
        1,
      );
    }),
    { numRuns: 200 },
  );
});

describe("of any schedule, in any time zone, at any moment", () => {
  test("the last run is one of the next runs from before it, and none lies between it and now", () => {
    fc.assert(
      fc.property(schedules, moments, (schedule, now) => {
        const last = lastRun(schedule, new Date(0), now);
        if (!last) return;
        expect(last.getTime()).toBeLessThanOrEqual(now.getTime());
        const [same, next] = nextRuns(schedule, new Date(last.getTime() - 1000), 2);
        expect(same).toEqual(last);
        expect(next?.getTime()).toBeGreaterThan(now.getTime());
      }),
      { numRuns: 100 },
    );
  });

  test("a clock that is looked at every so often sees every run once, in order, and none twice", () => {
    fc.assert(
      fc.property(schedules, moments, fc.integer({ min: 1, max: 59 }), (schedule, start, step) => {
        const job = timing(schedule.schedule, schedule);
        const seen: Date[] = [];
        let handled = start;
        const looks = 60;
        for (let look = 1; look <= looks; look++) {
          const now = new Date(start.getTime() + look * step * 1000);
          const due = dueRun(job, { handled }, now);
          if (due.run) seen.push(due.run);
          handled = due.run ?? due.handled;
        }
        const end = start.getTime() + looks * step * 1000;
        const expected = nextRuns(schedule, start, 61).filter((run) => run.getTime() <= end);
        expect(seen).toEqual(expected);
      }),
      { numRuns: 50 },
    );
  });

  test("after any jump of the clock at most one run is due, and the next one still comes", () => {
    fc.assert(
      fc.property(
        schedules,
        moments,
        moments,
        fc.constantFrom("run at start", "wait"),
        (schedule, before, now, missed) => {
          const job = timing(schedule.schedule, { ...schedule, missed });
          const due = dueRun(job, { handled: before }, now);
          const handled = due.run ?? due.handled;
          expect(dueRun(job, { handled }, now).run).toBeUndefined();
          const [next = now] = nextRuns(schedule, now, 1);
          // A clock that was at most an hour ahead leaves out what was done by then.
          if (handled < next) expect(dueRun(job, { handled }, next).run).toEqual(next);
          expect(handled.getTime() - now.getTime()).toBeLessThanOrEqual(3_600_000);
        },
      ),
      { numRuns: 100 },
    );
  });
});

describe("a run that was missed", () => {
  const handled = at("2026-11-20T03:29:00Z");
  const noon = at("2026-11-23T12:00:00Z");

  test("is made up for at the start, the last of several alone", () => {
    expect(dueRun(timing("29 3 * * *"), { handled }, noon)).toEqual({
      ...{ handled, run: at("2026-11-23T03:29:00Z"), inTime: false },
    });
  });

  test("is let go where the job waits for the next one", () => {
    const job = timing("29 3 * * *", { missed: "wait" });
    expect(dueRun(job, { handled }, noon)).toEqual({
      ...{ handled: at("2026-11-23T03:29:00Z"), run: undefined, inTime: false },
    });
  });

  test("is none when it was seen in time and had to wait for another job", () => {
    const job = timing("29 3 * * *", { missed: "wait" });
    const waiting = at("2026-11-23T03:29:00Z");
    expect(dueRun(job, { handled, waiting }, noon)).toMatchObject({ run: waiting, inTime: true });
  });
});

test("a clock that was a year ahead and is put right does not stop the schedule", () => {
  const now = at("2026-11-23T12:00:00Z");
  const due = dueRun(timing("29 3 * * *"), { handled: at("2027-11-23T03:29:00Z") }, now);
  expect(due).toEqual({ handled: now, run: undefined, inTime: false });
});

test("a clock that is put back by a minute repeats nothing", () => {
  const handled = at("2026-11-23T03:29:00Z");
  expect(dueRun(timing("29 3 * * *"), { handled }, at("2026-11-23T03:28:30Z")).run).toBeUndefined();
  expect(dueRun(timing("29 3 * * *"), { handled }, at("2026-11-23T03:29:30Z")).run).toBeUndefined();
});

describe("a window", () => {
  test.each([
    ["22:00-06:00", "2026-11-23T21:59:59Z", false],
    ["22:00-06:00", "2026-11-23T22:00:00Z", true],
    ["22:00-06:00", "2026-11-24T05:59:00Z", true],
    ["22:00-06:00", "2026-11-24T06:00:00Z", false],
    ["09:00-17:00", "2026-11-24T12:00:00Z", true],
    ["09:00-17:00", "2026-11-24T17:00:00Z", false],
  ])("%s at %s: %s", (window, moment, within) => {
    expect(mayRun(timing("@hourly", { window }), at(moment))).toBe(within);
  });

  test.each(["22-06", "22:00-22:00", "24:00-06:00", "22:60-23:00", "x"])("%s is none", (text) => {
    expect(parseWindow(text)).toBeUndefined();
  });

  test("closes an hour later on the night the clocks are put back", () => {
    const window = { from: 22 * 60, to: 6 * 60 };
    const begin = at("2026-10-24T20:00:00Z");
    expect(isWithin(window, "Europe/Berlin", begin)).toBe(true);
    expect(windowEnd(window, "Europe/Berlin", begin)).toEqual(at("2026-10-25T05:00:00Z"));
  });
});
