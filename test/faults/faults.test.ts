import { beforeAll, describe, expect, test } from "vitest";
import { alignColumns } from "../../cli/base/table";
import { useRemotes } from "../support/offsite/remotes";
import { useServer } from "../support/servers/server";
import { faultGroups } from "./harness/faults";
import type { Outcome, Result } from "./harness/outcome";
import { World } from "./harness/world";

/** How often a fault is tried, each time a little differently. */
const usualRuns = 3;

/** Within a group. */
const oneByOne = { concurrent: false };

const faults = Object.values(faultGroups).flat();
const groups = Object.entries(faultGroups).map(([title, group]) => {
  // Room for 120 databases in the archive's volume, which is in memory.
  const volumes = { backupsSize: "512m", archiveSize: "1500m" };
  const server = useServer({ ...volumes, memory: "6g", clock: true });
  return { title, group, world: new World(server, useRemotes(server)) };
});
const table = new Map<string, { readonly ours: Result[]; readonly script: Result[] }>();

beforeAll(async () => {
  await Promise.all(groups.map(async ({ world }) => world.prepare()));
});

describe.concurrent.each(groups)("$title", ({ group, world }) => {
  test.each(group.map((fault) => [fault.name, fault] as const))(
    "%s: we tell of it, or the backup is whole; no good one goes",
    oneByOne,
    async (name, { ours, script, runs = usualRuns }) => {
      const line = { ours: [] as Result[], script: [] as Result[] };
      table.set(name, line);
      for (let run = 0; run < runs; run++) {
        line.ours.push(await ours(world, run));
        if (script) line.script.push(await script(world, run));
      }
      for (const { outcome, deleted } of line.ours) {
        expect(["whole", "told"]).toContain(outcome);
        expect(deleted).toBe(0);
      }
    },
  );

  test("what we keep after them restores to what it was made of", oneByOne, async () => {
    await world.ours.expectGoods();
  });
});

test("the former script, done the same to, does not tell of many: the harness sees", () => {
  const shown = (results: readonly Result[]): string =>
    results
      .map(({ outcome, deleted }) => (deleted > 0 ? `${outcome} −${deleted}` : outcome))
      .join(", ") || "–";
  const lines = faults.flatMap(({ name }) => table.get(name) ?? []);
  const rows = faults.map(({ name }) => {
    const { ours = [], script = [] } = table.get(name) ?? {};
    return [name, shown(ours), shown(script)];
  });
  const heading = ["fault (−1: a good backup is gone)", "we", "the former script"];
  console.log(alignColumns([heading, ...rows]).join("\n"));
  const compared = faults.filter(({ script }) => script !== undefined);
  expect(compared.length).toBeGreaterThanOrEqual(40);
  expect(lines).toHaveLength(faults.length);
  const sum = (results: readonly Result[]) => {
    const count = (wanted: Outcome): number =>
      results.filter(({ outcome }) => outcome === wanted).length;
    const deleted = results.reduce((sum, { deleted }) => sum + deleted, 0);
    return { undetected: count("UNDETECTED"), bad: count("bad file"), deleted };
  };
  const ours = sum(lines.flatMap((line) => line.ours));
  const script = sum(lines.flatMap((line) => line.script));
  const told = ({ undetected, bad, deleted }: typeof ours): string =>
    `${undetected} undetected, ${bad} bad under a final name, ${deleted} good ones deleted`;
  console.log(`${faults.length} faults, most of them × ${usualRuns}: we ${told(ours)}`);
  console.log(`${compared.length} of them: the former script ${told(script)}`);
  expect(ours).toEqual({ undetected: 0, bad: 0, deleted: 0 });
  expect(script.undetected).toBeGreaterThan(12);
  expect(script.bad).toBeGreaterThan(12);
  expect(script.deleted).toBeGreaterThan(20);
});
