import { describe, expect, test } from "vitest";
import { backupsRequestSchema } from "../../../../model/backup/protocol";
import { defaultJobs } from "../../../../model/stack-file/backups";
import { parseStackConfig } from "../../../../model/stack-file/parse";

const passwords = { application: "long enough", readonly: "long enough", monitor: "long enough" };
const good = {
  postgres: { port: 15432 },
  database: { name: "timesheets" },
  data: { dump: "timesheets.sql" },
  passwords,
};

function problemsOf(backups: unknown): string[] {
  const { problems } = parseStackConfig("dev", { ...good, backups });
  return problems.map(({ path, text }) => `${path}: ${text}`);
}

const daily = { schedule: "@daily" };

describe("the section backups", () => {
  test("fills in what is left out of a job", () => {
    const { config: settings } = parseStackConfig("dev", {
      ...good,
      backups: { jobs: { nightly: { schedule: "29 3 * * *" } }, maintenance: { weekly: daily } },
    });
    expect(settings.backups).toEqual({
      jobs: {
        nightly: {
          ...{ schedule: "29 3 * * *", timeZone: "UTC", timeLimit: "12 h" },
          ...{ missed: "run at start", format: "directory", compression: "zstd" },
          lockTimeout: "5 min",
        },
      },
      maintenance: {
        weekly: {
          ...{ schedule: "@daily", timeZone: "UTC", timeLimit: "12 h" },
          ...{ missed: "run at start", work: "vacuum and analyze" },
        },
      },
    });
  });

  test("is empty where the stack says nothing, and then the kind of server decides", () => {
    expect(parseStackConfig("dev", good).config.backups).toEqual({});
    expect(defaultJobs("production")["nightly"]).toMatchObject({ schedule: "29 3 * * *" });
    expect(defaultJobs("staging")["nightly"]).toMatchObject({ schedule: "29 4 * * *" });
    expect(defaultJobs("development")).toEqual({});
  });

  test("tells all that is wrong at once, with field, value and fix", () => {
    expect(
      problemsOf({
        job: {},
        jobs: {
          nightly: { schedule: "61 3 * * *", formt: "plain", missed: "run" },
          Weekly: { schedule: "@daily", timeZone: "Mars/Olympus", window: "22-6", parallel: 0 },
          custom: { ...daily, format: "custom", compression: "bzip2", parallel: 4 },
          named: { ...daily, databases: [], timeLimit: "2 hours", lockTimeout: "0 s" },
          none: {},
        },
        maintenance: { weekly: { ...daily, work: "vaccum" } },
      }),
    ).toEqual([
      'backups.jobs.nightly.schedule: "61 3 * * *": minute must be 0–59, got 61',
      'backups.jobs.nightly.missed: must be "run at start" or "wait", got "run"',
      "backups.jobs.nightly.formt: unknown key; did you mean format?",
      'backups.jobs.Weekly.timeZone: must be a time zone like UTC or Europe/Berlin, got "Mars/Olympus"',
      'backups.jobs.Weekly.window: must be a daily window like 22:00-06:00, got "22-6"',
      "backups.jobs.Weekly.parallel: must be 1 to 64, got 0",
      "backups.jobs.custom.compression: bzip2 requires format: plain; use zstd, or change the format",
      "backups.jobs.custom.parallel: requires format: directory; remove it, or change the format",
      'backups.jobs.named.timeLimit: must be a duration like "2 h" or "90 min", got "2 hours"',
      "backups.jobs.named.databases: must name a database; leave the key out for all of them, got []",
      'backups.jobs.named.lockTimeout: must be a duration like "2 h" or "90 min", got "0 s"',
      "backups.jobs.none.schedule: is missing",
      'backups.jobs.Weekly: must have a name of up to 30 lowercase letters, digits and hyphens, starting with a letter, got "Weekly"',
      'backups.maintenance.weekly.work: must be "vacuum and analyze" or "vacuum" or "analyze", got "vaccum"; did you mean "vacuum"?',
      "backups.job: unknown key; did you mean jobs?",
    ]);
  });
});

test("a request is refused for what a settings file would be refused for", () => {
  const request = { server: "dev", jobs: { nightly: { schedule: "61 3 * * *" } }, maintenance: {} };
  expect(backupsRequestSchema.safeParse(request).success).toBe(false);
});

test.each([
  [
    "*/90 * * * *",
    /nightly\.schedule: "\*\/90 \* \* \* \*": the step of minute must be at most 60/,
  ],
  ["0 3 31 2 *", /nightly\.schedule: "0 3 31 2 \*": names a day that does not exist/],
])("a schedule that cannot be evaluated hides no other problem: %s", (schedule, problem) => {
  const problems = problemsOf({
    jobs: {
      nightly: { schedule, window: "22:00-06:00" },
      "Weekly Job": { schedule: "0 3 * * sat-sun", timeZone: "MEZ" },
    },
    keep: { daily: 0 },
    offsite: {
      remote: "ftpx:backups",
      recipients: ["age1mjpe4t0ds7wta9zgzygxh9mgz7q29wcylz2grsuq7am32zgy338qwpc2n3"],
      keep: { daily: 0 },
    },
    alerts: { email: { to: ["ops@example.com"], from: "a@b.c", smtp: "smtp://u:p%ss@mail:x" } },
  });
  expect(problems).toEqual([
    expect.stringMatching(problem),
    expect.stringMatching(/Weekly Job\.schedule: .* must be an ascending range, got sat-sun/),
    expect.stringMatching(/Weekly Job\.timeZone: must be a time zone/),
    expect.stringMatching(/Weekly Job: must have a name/),
    expect.stringMatching(/^backups\.keep\.daily: must be the number to keep/),
    expect.stringMatching(/^backups\.offsite\.keep\.daily: must be the number to keep/),
    expect.stringMatching(/^backups\.alerts\.email\.smtp: must be a URL like/),
  ]);
});
