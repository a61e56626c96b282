import { randomBytes } from "node:crypto";
import { expect, it } from "vitest";
import { mask, type Masks } from "../../model/masks/mask";
import { formatCount, formatDuration } from "../../model/base/units";
import { placeMasksProgram, runMasks } from "../support/masks/run-masks";
import { docker, useServer } from "../support/servers/server";
import { say } from "./measure";

/** How many values are masked; the goal is set for ten million. */
const values = Number(process.env["STAGECRAFT_BENCH_VALUES"] ?? 10_000_000);
const goal = 300_000;
const server = useServer({ memory: "2g", settings: ["shared_buffers=512MB"] });

const masks: Masks = {
  classify: "strict",
  columns: {
    "people.id": mask.public(),
    "people.login": mask.hash(),
    "people.name": mask.name(),
    "people.email": mask.email(),
    "people.phone": mask.phone(),
    "people.born": mask.dateShift(30, "id"),
    "visits.id": mask.public(),
    "visits.at": mask.public(),
    "visits.email": mask.email(),
    "visits.amount": mask.noise(10),
  },
};

it(
  "masks values of two tables with indexes and a foreign key",
  { timeout: 7_200_000 },
  async () => {
    const rows = Math.round(values / 7);
    await placeMasksProgram(server);
    await server.createDatabase(
      "bench",
      `CREATE TABLE people (id int, login text, name text, email text, phone varchar(20), born date);
     INSERT INTO people SELECT n, 'login' || n, 'Name of ' || n, n || '@home.example', '+49 30 ' || n, date '1950-01-01' + n % 20000
     FROM generate_series(1, ${rows}) n;
     ALTER TABLE people ADD PRIMARY KEY (id), ADD UNIQUE (login), ADD UNIQUE (email);
     CREATE TABLE visits (id int, email text, at timestamptz, amount numeric(10, 2));
     INSERT INTO visits SELECT n, 1 + n * 7919::bigint % ${rows} || '@home.example', now(), n % 1000 FROM generate_series(1, ${rows}) n;
     ALTER TABLE visits ADD PRIMARY KEY (id), ADD FOREIGN KEY (email) REFERENCES people (email);`,
    );
    const before = await cpuSeconds();
    const key = randomBytes(24).toString("hex");
    const { masked, problems, error } = await runMasks(server, { database: "bench", key, masks });
    expect([problems, error]).toEqual([[], undefined]);
    const report = masked ?? { values: 0, seconds: 1, tables: [] };
    const rate = report.values / report.seconds;
    say(
      `masks            ${formatCount(report.values)} values in ${formatDuration(report.seconds)}: ${formatCount(Math.round(rate))} values/s (goal ≥ ${formatCount(goal)})`,
    );
    const cpu = (await cpuSeconds()) - before;
    say(
      `                 ${formatDuration(cpu)} of a processor's time: ${formatCount(Math.round((2 * report.values) / cpu))} values/s if two are busy with it throughout`,
    );
    for (const { table, rows: count, seconds } of report.tables)
      say(`                 ${table}: ${formatCount(count)} rows, ${formatDuration(seconds)}`);
  },
);

/** Time of processors that PostgreSQL has used so far; what else the machine is doing does not count. */
async function cpuSeconds(): Promise<number> {
  const script =
    "cat /sys/fs/cgroup/cpuacct/cpuacct.usage 2>/dev/null || awk '/usage_usec/ { print $2 * 1000 }' /sys/fs/cgroup/cpu.stat";
  return Number(await docker("exec", server.postgres, "sh", "-c", script)) / 1e9;
}
