import { defineConfig } from "vitest/config";

const hour = 3_600_000;

export default defineConfig({
  test: {
    include: ["test/bench/**/*.bench.ts"],
    globalSetup: ["test/support/run/prepare-machine.ts"],
    testTimeout: 2 * hour,
    hookTimeout: hour,
    reporters: [["default", { summary: false }]],
    fileParallelism: false,
  },
});
