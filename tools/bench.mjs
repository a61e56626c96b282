// Runs the benchmarks of `npm run bench`: Stagecraft and the procedure it replaces, on the same data, in one run.
// STAGECRAFT_BENCH_SIZE sets the size of the database, e.g. 200MB; 2GB by default.
import { spawnSync } from "node:child_process";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const vitest = join(root, "node_modules", "vitest", "vitest.mjs");
const config = join("test", "bench", "vitest.config.mts");
const { status } = spawnSync(
  process.execPath,
  [vitest, "run", "--config", config, ...process.argv.slice(2)],
  { cwd: root, stdio: "inherit" },
);
process.exitCode = status ?? 1;
