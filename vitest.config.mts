import { defineConfig } from "vitest/config";

const minute = 60_000;

/** Tests against the real engine: slow, and on two cores few at a time; a set-up makes the machine ready first. */
const real = (name: string, order: number, maxWorkers: number) => ({
  test: {
    name,
    include: [`test/${name}/**/*.test.ts`],
    globalSetup: ["test/support/machine.ts"],
    testTimeout: 5 * minute,
    hookTimeout: 10 * minute,
    maxWorkers,
    sequence: { groupOrder: order },
  },
});

const quick = (name: string, ...setupFiles: string[]) => ({
  test: { name, setupFiles, include: [`test/${name}/**/*.test.ts`], sequence: { groupOrder: 0 } },
});

export default defineConfig({
  test: {
    projects: [
      quick("unit"),
      quick("components", "test/components/machine.ts"),
      real("cli", 1, 2),
      real("tools", 2, 1),
      // Much of it is waiting, so more than there are processors.
      real("agent", 3, 3),
      real("e2e", 4, 3),
      real("faults", 5, 1),
    ],
  },
});
