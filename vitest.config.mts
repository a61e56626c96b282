import { defineConfig } from "vitest/config";
import SlowestFirst from "./test/support/run/slowest-first.mjs";

const minute = 60_000;

/** Files at a time: more than there are processors, because much of what they do is waiting. The same for all, so that none waits for another kind. */
const maxWorkers = 4;

/**
 * Tests against the real engine; a set-up makes the machine ready first. On a machine that is busy one of thousands can
 * fail by chance: it is tried once more, and the run ends with the names of those that needed it.
 */
const real = (name: string, { isolate = true, testTimeout = 5 * minute, folders = name } = {}) => ({
  test: {
    ...{ name, isolate, testTimeout },
    include: [`test/${folders}/**/*.test.ts`],
    globalSetup: ["test/support/run/prepare-machine.ts"],
    hookTimeout: 10 * minute,
    maxWorkers,
    retry: 1,
  },
});

/** Tests without anything real. Those of rules alone have nothing that one file could leave for the next: they share what is loaded. */
const quick = (name: string, isolate: boolean, ...setupFiles: string[]) => ({
  test: {
    ...{ name, isolate, setupFiles, maxWorkers },
    include: [`test/${name}/**/*.test.ts`],
    // They run beside those that keep the machine busy.
    testTimeout: minute,
  },
});

export default defineConfig({
  test: {
    sequence: { sequencer: SlowestFirst },
    projects: [
      quick("unit", false),
      quick("components", true, "test/support/components/fake-engine.ts"),
      real("cli"),
      real("tools"),
      // Each file has a server of its own, and nothing else that the next one could find changed.
      real("agent", { isolate: false }),
      real("e2e"),
      real("long", { testTimeout: 20 * minute, folders: "{faults,kills,load,machines}" }),
    ],
  },
});
