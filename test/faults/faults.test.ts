import { beforeAll, expect, test } from "vitest";
import { alignColumns } from "../../cli/text/table";
import { useServer } from "../support/server";
import { faults } from "./faults";
import { World, type Outcome } from "./world";

/** How often each fault is tried, each time a little differently. */
const runs = 3;

const world = new World(useServer({ backupsSize: "64m" }));
const table: { readonly name: string; readonly ours: Outcome[]; readonly script: Outcome[] }[] = [];

beforeAll(async () => {
  await world.prepare();
});

test.each(faults.map((fault) => [fault.name, fault] as const))(
  "%s: we tell of it, or the backup is whole",
  async (name, { ours, script }) => {
    const line = { name, ours: [] as Outcome[], script: [] as Outcome[] };
    table.push(line);
    for (let run = 0; run < runs; run++) {
      line.ours.push(await ours(world, run));
      line.script.push(await script(world, run));
    }
    for (const outcome of line.ours) expect(["whole", "told"]).toContain(outcome);
    await world.expectGoodOne();
  },
);

test("the former script, done the same to, does not tell of many: the harness sees", () => {
  const rows = table.map(({ name, ours, script }) => [name, ours.join(", "), script.join(", ")]);
  console.log(alignColumns([["fault", "we", "the former script"], ...rows]).join("\n"));
  expect(faults.length).toBeGreaterThanOrEqual(40);
  expect(table).toHaveLength(faults.length);
  const script = table.flatMap((line) => line.script);
  const count = (outcome: Outcome): number => script.filter((one) => one === outcome).length;
  console.log(
    `${faults.length} faults × ${runs}: we 0 undetected; the former script ${count("UNDETECTED")} undetected, ${count("bad file")} bad files under the final name`,
  );
  expect(count("UNDETECTED")).toBeGreaterThan(20);
});
