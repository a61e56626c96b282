import { defineConfig } from "vitest/config";
import SlowestFirst from "./test/support/run/slowest-first.mjs";
import { limit, minute } from "./test/support/time/limit.mjs";

/** Shell scripts are imported as text, as esbuild does with its loader. */
const shellScripts = {
  name: "shell-scripts",
  transform: (code: string, id: string) =>
    id.endsWith(".sh") ? `export default ${JSON.stringify(code)}` : undefined,
};

/** Files run in parallel: more than there are processors, because tests mostly wait. The same for all projects, so that none waits for another. */
const maxWorkers = 4;

/** Tests against the real engine; a set-up makes the machine ready first. The limits end a hang, they do not judge speed. */
const real = (
  name: string,
  { isolate = true, testTimeout = limit(15 * minute), folders = name } = {},
) => ({
  plugins: [shellScripts],
  test: {
    name,
    isolate,
    testTimeout,
    include: [`test/${folders}/**/*.test.ts`],
    globalSetup: ["test/support/run/prepare-machine.ts"],
    setupFiles: ["test/support/run/end-with-test.ts"],
    hookTimeout: limit(20 * minute),
    maxWorkers,
  },
});

/** Tests without Docker or PostgreSQL. Unit tests leave nothing behind for the next file, so they share loaded modules. */
const quick = (name: string, isolate: boolean, ...setupFiles: string[]) => ({
  plugins: [shellScripts],
  test: {
    name,
    isolate,
    setupFiles,
    maxWorkers,
    include: [`test/${name}/**/*.test.ts`],
    // They run beside those that keep the machine busy.
    testTimeout: limit(5 * minute),
    hookTimeout: limit(5 * minute),
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
      real("long", {
        testTimeout: limit(60 * minute),
        folders: "{faults,kills,load,machines,security}",
      }),
    ],
  },
});
