import { defineConfig } from "vitest/config";
import SlowestFirst from "./test/support/slowest-first.mjs";

const minute = 60_000;

/**
 * Tests against the real engine; a set-up makes the machine ready first. Much of it is waiting, so more files at a time
 * than there are processors. On a machine that is busy one of thousands can fail by chance: it is tried once more, and
 * the run ends with the names of those that needed it.
 */
const real = (name: string) => ({
  test: {
    name,
    include: [`test/${name}/**/*.test.ts`],
    globalSetup: ["test/support/machine.ts"],
    testTimeout: 5 * minute,
    hookTimeout: 10 * minute,
    maxWorkers: 4,
    retry: 1,
    sequence: { groupOrder: 1 },
  },
});

const quick = (name: string, ...setupFiles: string[]) => ({
  test: { name, setupFiles, include: [`test/${name}/**/*.test.ts`], sequence: { groupOrder: 0 } },
});

export default defineConfig({
  test: {
    sequence: { sequencer: SlowestFirst },
    projects: [
      quick("unit"),
      quick("components", "test/components/machine.ts"),
      real("cli"),
      real("tools"),
      real("agent"),
      real("e2e"),
      real("faults"),
    ],
  },
});
