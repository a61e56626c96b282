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
      if (script) line.script.push(await script(world, run));
    }
    for (const outcome of line.ours) expect(["whole", "told"]).toContain(outcome);
    await world.expectGoodOne();
  },
);

test("the former script, done the same to, does not tell of many: the harness sees", () => {
  const rows = table.map(({ name, ours, script }) => [
    name,
    ours.join(", "),
    script.join(", ") || "–",
  ]);
  console.log(alignColumns([["fault", "we", "the former script"], ...rows]).join("\n"));
  const compared = faults.filter(({ script }) => script !== undefined);
  expect(compared.length).toBeGreaterThanOrEqual(40);
  expect(table).toHaveLength(faults.length);
  const ours = table.flatMap((line) => line.ours);
  const script = table.flatMap((line) => line.script);
  const summary = (outcomes: readonly Outcome[]): string => {
    const count = (outcome: Outcome): number => outcomes.filter((one) => one === outcome).length;
    return `${count("UNDETECTED")} undetected, ${count("bad file")} bad files under the final name`;
  };
  console.log(`${faults.length} faults × ${runs}: we ${summary(ours)}`);
  console.log(`${compared.length} of them × ${runs}: the former script ${summary(script)}`);
  expect(script.filter((one) => one === "UNDETECTED").length).toBeGreaterThan(20);
});
