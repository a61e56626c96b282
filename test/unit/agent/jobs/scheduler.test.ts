import { expect, test } from "vitest";
import { Scheduler, type JobStates } from "../../../../agent/jobs/scheduler";
import { backupsRequestSchema, type BackupsRequest } from "../../../../model/backup/protocol";

/** A world in which time is what the test says, and a job lasts until the test ends it. */
class World {
  time = new Date("2026-11-22T12:00:00Z");
  kept: JobStates = {};
  readonly begun: string[] = [];
  #end: ((succeeded: boolean) => void) | undefined;
  scheduler = this.start();

  constructor(public request: BackupsRequest | undefined) {}

  start(): Scheduler {
    return new Scheduler({
      now: () => this.time,
      schedule: () => Promise.resolve(this.request),
      load: () => Promise.resolve(structuredClone(this.kept)),
      save: (states) => {
        this.kept = structuredClone(states);
        return Promise.resolve();
      },
      run: ({ name }) => {
        this.begun.push(`${name} ${this.time.toISOString().slice(5, 16)}`);
        return new Promise((resolve) => {
          this.#end = (succeeded) => {
            const now = this.time.toISOString();
            resolve({ succeeded, text: "done", startedAt: now, finishedAt: now });
          };
        });
      },
      log: () => undefined,
    });
  }

  async at(moment: string): Promise<void> {
    this.time = new Date(moment);
    await this.scheduler.tick();
  }

  async end(succeeded = true): Promise<void> {
    const running = this.scheduler.running;
    this.#end?.(succeeded);
    await running;
  }
}

function request(
  jobs: Readonly<Record<string, object>>,
  maintenance: Readonly<Record<string, object>> = {},
): BackupsRequest {
  return backupsRequestSchema.parse({ server: "prod", jobs, maintenance, keep: {}, pins: [] });
}

const nightly = { schedule: "29 3 * * *" };

test("a job runs at its time, once, and not because it is new", async () => {
  const world = new World(request({ nightly }));
  for (const moment of ["22T12:00:00", "22T23:00:00", "23T03:28:59", "23T03:29:00", "23T03:29:01"])
    await world.at(`2026-11-${moment}Z`);
  expect(world.begun).toEqual(["nightly 11-23T03:29"]);
  await world.end();
  await world.at("2026-11-23T03:30:00Z");
  expect(world.begun).toHaveLength(1);
  expect(world.kept["backup/nightly"]).toMatchObject({ begun: null, last: { succeeded: true } });
});

test("jobs never overlap; one whose time came meanwhile runs afterwards, however late, also if it makes up for nothing", async () => {
  const world = new World(
    request(
      { nightly, second: { schedule: "30 3 * * *", missed: "wait" } },
      { weekly: { schedule: "31 3 * * *" } },
    ),
  );
  await world.at("2026-11-22T12:00:00Z");
  await world.at("2026-11-23T03:29:00Z");
  await world.at("2026-11-23T03:30:05Z");
  await world.at("2026-11-23T03:31:05Z");
  await world.at("2026-11-23T05:00:00Z");
  expect(world.begun).toEqual(["nightly 11-23T03:29"]);
  await world.end();
  await world.at("2026-11-23T05:00:01Z");
  await world.end(false);
  await world.at("2026-11-23T05:10:00Z");
  expect(world.begun).toEqual(["nightly 11-23T03:29", "second 11-23T05:00", "weekly 11-23T05:10"]);
  expect(world.kept["backup/second"]?.last?.succeeded).toBe(false);
});

test("nights without the agent are made up for once at its start, or not, as the job says", async () => {
  const world = new World(request({ nightly, patient: { ...nightly, missed: "wait" } }));
  await world.at("2026-11-22T12:00:00Z");
  world.scheduler = world.start();
  await world.at("2026-11-26T09:00:00Z");
  await world.end();
  await world.at("2026-11-26T09:00:01Z");
  expect(world.begun).toEqual(["nightly 11-26T09:00"]);
  await world.at("2026-11-27T03:29:10Z");
  await world.end();
  await world.at("2026-11-27T03:29:11Z");
  expect(world.begun.slice(1)).toEqual(["nightly 11-27T03:29", "patient 11-27T03:29"]);
});

test("a run that the agent did not survive is begun once more, and then no more", async () => {
  const world = new World(request({ nightly }));
  await world.at("2026-11-22T12:00:00Z");
  await world.at("2026-11-23T03:29:00Z");
  for (const minute of [40, 50]) {
    world.scheduler = world.start();
    await world.at(`2026-11-23T03:${minute}:00Z`);
  }
  expect(world.begun).toEqual(["nightly 11-23T03:29", "nightly 11-23T03:40"]);
  expect(world.kept["backup/nightly"]?.last).toMatchObject({
    succeeded: false,
    text: "nightly was interrupted: the agent or its machine was stopped",
  });
  await world.at("2026-11-24T03:29:00Z");
  expect(world.begun).toHaveLength(3);
});

test("a job with a window waits until it opens", async () => {
  const world = new World(request({ nightly: { ...nightly, window: "22:00-06:00" } }));
  await world.at("2026-11-22T12:00:00Z");
  world.scheduler = world.start();
  await world.at("2026-11-23T12:00:00Z");
  expect(world.begun).toEqual([]);
  await world.at("2026-11-23T22:00:00Z");
  expect(world.begun).toEqual(["nightly 11-23T22:00"]);
});

test("another schedule counts from the moment it is put in force, and a job that is taken out is forgotten", async () => {
  const world = new World(request({ nightly }));
  await world.at("2026-11-23T02:00:00Z");
  world.request = request({ nightly: { schedule: "0 1 * * *" }, other: nightly });
  await world.at("2026-11-23T02:10:00Z");
  expect(world.begun).toEqual([]);
  world.request = request({ other: nightly });
  await world.at("2026-11-23T02:20:00Z");
  expect(Object.keys(world.kept)).toEqual(["backup/other"]);
});

test("forty nights pass, with clocks that jump and an agent that restarts, and each has its backup", async () => {
  const world = new World(request({ nightly: { ...nightly, timeZone: "Europe/Berlin" } }));
  await world.at("2026-03-10T12:00:00Z");
  for (let night = 0; night < 40; night++) {
    const noon = new Date(Date.parse("2026-03-11T12:00:00Z") + night * 86_400_000);
    if (night % 3 === 0) world.scheduler = world.start();
    // Some nights the clock goes on as it should, in others it jumps over the night.
    const steps = night % 2 === 0 ? [0] : Array.from({ length: 48 }, (_, i) => (48 - i) * 900_000);
    for (const before of steps) {
      await world.at(new Date(noon.getTime() - before).toISOString());
      await world.end();
    }
    await world.at(noon.toISOString());
    await world.end();
  }
  expect(world.begun).toHaveLength(40);
});
