import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  candidateName,
  isPreviousVersionName,
  outgoingName,
  previousVersionName,
} from "../../../../model/base/names";
import {
  rollbackPlan,
  previousVersions,
  swapPlan,
  type Renaming,
} from "../../../../model/restore/versions";

/** What each database holds after some renames; a rename to a name in use fails, as in PostgreSQL. */
function rename(
  contents: Readonly<Record<string, string>>,
  renames: readonly Renaming[],
): Record<string, string> {
  const databases = new Map(Object.entries(contents));
  for (const [from, to] of renames) {
    const held = databases.get(from);
    if (held === undefined) throw new Error(`there is no ${from}`);
    if (databases.has(to)) throw new Error(`${to} is taken`);
    databases.delete(from);
    databases.set(to, held);
  }
  return Object.fromEntries(databases);
}

function swapped(contents: Readonly<Record<string, string>>, keep: number): Record<string, string> {
  const { renames, drop } = swapPlan("db", new Set(Object.keys(contents)), keep);
  const after = rename(contents, renames);
  return Object.fromEntries(Object.entries(after).filter(([name]) => !drop.includes(name)));
}

describe("the copies of a database at a swap", () => {
  test("are one by default, and the one before it goes", () => {
    const before = { db: "two", db__previous: "one", db__incoming: "three" };
    expect(swapped(before, 1)).toEqual({ db: "three", db__previous: "two" });
    expect(swapPlan("db", new Set(Object.keys(before)), 1)).toEqual({
      renames: [
        ["db__previous", "db__outgoing"],
        ["db", "db__previous"],
        ["db__incoming", "db"],
      ],
      drop: ["db__outgoing"],
    });
  });

  test("are none where none are kept", () => {
    expect(swapped({ db: "one", db__incoming: "two" }, 0)).toEqual({ db: "two" });
  });

  test("are none yet of a database that was not there", () => {
    expect(swapped({ db__incoming: "one" }, 1)).toEqual({ db: "one" });
  });

  test("are the newest, at most as many as are kept, whatever was there before", () => {
    fc.assert(
      fc.property(
        fc.subarray([1, 2, 3, 4, 5]),
        fc.boolean(),
        fc.integer({ min: 0, max: 5 }),
        (there, isLive, keep) => {
          const copies = there.map((age) => [previousVersionName("db", age), `before ${age}`]);
          const live = isLive ? [["db", "live"]] : [];
          const all = [...live, ...copies, [candidateName("db"), "new"]];
          const after = swapped(Object.fromEntries(all) as Record<string, string>, keep);
          const kept = [...live, ...copies].map(([, held]) => held).slice(0, keep);
          expect(after["db"]).toBe("new");
          expect(previousVersions("db", new Set(Object.keys(after))).map((n) => after[n])).toEqual(
            kept,
          );
          expect(Object.keys(after)).toHaveLength(kept.length + 1);
        },
      ),
    );
  });
});

describe("a copy that is brought back", () => {
  test("changes places with the live contents, and again", () => {
    const before = { db: "two", db__previous: "one" };
    const names = new Set(Object.keys(before));
    const once = rename(before, rollbackPlan("db", names, "db__previous"));
    expect(once).toEqual({ db: "one", db__previous: "two" });
    expect(rename(once, rollbackPlan("db", names, "db__previous"))).toEqual(before);
  });

  test("takes the name of a database that is gone", () => {
    const names = new Set(["db__previous"]);
    expect(rename({ db__previous: "one" }, rollbackPlan("db", names, "db__previous"))).toEqual({
      db: "one",
    });
  });

  test("loses none of the others, whichever it is", () => {
    fc.assert(
      fc.property(fc.subarray([1, 2, 3, 4, 5], { minLength: 1 }), fc.nat(), (there, choice) => {
        const copies = there.map((age) => previousVersionName("db", age));
        const before = Object.fromEntries(["db", ...copies].map((name) => [name, `was ${name}`]));
        const copy = copies[choice % copies.length] ?? "";
        const after = rename(before, rollbackPlan("db", new Set(Object.keys(before)), copy));
        expect(after["db"]).toBe(`was ${copy}`);
        expect(after[copies[0] ?? ""]).toBe("was db");
        expect(Object.keys(after).sort()).toEqual(Object.keys(before).sort());
        expect(Object.values(after).sort()).toEqual(Object.values(before).sort());
      }),
    );
  });
});

test("a former copy is known by its name, whatever its age", () => {
  expect(
    ["a__previous", "a__previous5", "a__previous6", "a", outgoingName("a")].map(
      isPreviousVersionName,
    ),
  ).toEqual([true, true, false, false, false]);
});
