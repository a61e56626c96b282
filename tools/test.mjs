// Runs `npm test`: all tests except the long ones, or those of the given projects (`npm test -- unit`). Other arguments are
// passed to vitest.
// The last line of output is the count; a skipped test counts as failed, as does a run without tests.
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "./build.mjs";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const report = join(root, ".stagecraft", "test-results.json");

/** The projects of vitest.config.mts. */
const projects = ["unit", "components", "cli", "tools", "agent", "e2e", "long"];
const args = process.argv.slice(2);
const selected = args.filter((argument) => projects.includes(argument));
const chosen = selected.length > 0 ? selected : ["!long"];
const others = args.filter((argument) => !projects.includes(argument));

await build();
mkdirSync(dirname(report), { recursive: true });
rmSync(report, { force: true });
const vitest = spawnSync(
  process.execPath,
  [
    join(root, "node_modules", "vitest", "vitest.mjs"),
    "run",
    ...chosen.flatMap((name) => ["--project", name]),
    "--reporter=default",
    "--reporter=json",
    `--outputFile.json=${report}`,
    ...others,
  ],
  { cwd: root, stdio: "inherit" },
);

const { passed, failed, reasons } = count();
for (const reason of reasons) console.log(reason);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;

function count() {
  let results;
  try {
    results = JSON.parse(readFileSync(report, "utf8"));
  } catch {
    return { passed: 0, failed: 1, reasons: ["vitest exited without a report"] };
  }
  const tests = results.testResults.flatMap((file) => file.assertionResults);
  const passed = tests.filter(({ status }) => status === "passed").length;
  const skipped = tests.filter(({ status }) => status !== "passed" && status !== "failed");
  const broken = results.testResults.filter(
    (file) =>
      file.status === "failed" && !file.assertionResults.some((test) => test.status === "failed"),
  );
  const reasons = [
    ...skipped.map(({ fullName, status }) => `counted as failed: ${fullName} (${status})`),
    ...broken.map(({ name }) => `counted as failed: ${name} could not be run`),
  ];
  let failed = tests.length - passed + broken.length;
  if (failed === 0 && tests.length === 0) {
    failed = 1;
    reasons.push("no test was run");
  }
  if (failed === 0 && vitest.status !== 0) {
    failed = 1;
    reasons.push(`vitest exited with status ${vitest.status}`);
  }
  return { passed, failed, reasons };
}
