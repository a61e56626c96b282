import type { Fault } from "./faults";
import type { Act, Gap } from "./outcome";

/** The clock is wrong by some days and put right afterwards. */
function clock(name: string, days: number, from: "before" | "meanwhile"): Fault {
  const act = (run: number): Act => ({
    clock: { days: days + Math.sign(days) * run, from },
    at: 0.1,
  });
  return {
    name: `the clock is put ${name}`,
    ours: async ({ ours }, run) => ours.attempt(act(run)),
    script: async ({ script }, run) => script.attempt(act(run)),
  };
}

/** Times that do not exist: an hour, in two parts of the world, and half an hour. */
const gaps: readonly Gap[] = [
  {
    ...{ schedule: "30 2 * * *", timeZone: "Europe/Berlin" },
    ...{ before: new Date("2030-03-31T00:50:00Z"), after: new Date("2030-03-31T01:00:05Z") },
  },
  {
    ...{ schedule: "1 2 * * *", timeZone: "America/New_York" },
    ...{ before: new Date("2031-03-09T06:50:00Z"), after: new Date("2031-03-09T07:00:05Z") },
  },
  {
    ...{ schedule: "15 2 * * *", timeZone: "Australia/Lord_Howe" },
    ...{ before: new Date("2031-10-04T15:20:00Z"), after: new Date("2031-10-04T15:30:05Z") },
  },
];

/** What happens to the time. */
export const timeFaults: readonly Fault[] = [
  clock("40 days ahead before it", 40, "before"),
  clock("40 days back before it", -40, "before"),
  clock("40 days ahead in the middle of it", 40, "meanwhile"),
  clock("40 days back in the middle of it", -40, "meanwhile"),
  {
    name: "the schedule's time does not exist that day",
    // The script has no schedule of its own; cron has it.
    ours: async ({ ours }, run) => ours.springForward(gaps[run] as Gap),
  },
];
