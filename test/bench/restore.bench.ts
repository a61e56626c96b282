import { execa } from "execa";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { generateSql } from "../../examples/timesheets/generate";
import { formatBytes, formatDuration } from "../../model/base/units";
import { useProject } from "../support/stacks/project";
import { inside } from "./inside";
import { lastRestore, stepsText } from "./last-restore";
import { say, seconds } from "./measure";
import { checkout } from "../support/files/checkout";

const size = process.env["STAGECRAFT_BENCH_SIZE"] ?? "2GB";
const project = useProject();

it(
  "restores a generated database by the old procedure and by ours",
  { timeout: 7_200_000 },
  async () => {
    await project.makeStack("dev", { postgres: { port: project.port("dev"), memory: "4 GB" } });
    await up();
    const { agent } = project.names("dev");
    const run = inside(agent);

    await run("createdb source && psql -qX -v ON_ERROR_STOP=1 source > /dev/null", schema());
    await run("psql -qX -v ON_ERROR_STOP=1 source > /dev/null", generateSql({ size }));
    const bytes = await run("psql -qXAtc \"SELECT pg_database_size('source')\" postgres");
    say(`database         ${formatBytes(Number(bytes))}`);

    const work = "/var/lib/stagecraft/bench";
    await run(`mkdir -p ${work}`);
    const plainDump = await seconds(() =>
      run(`pg_dump -c -O -F p source | bzip2 > ${work}/old.sql.bz2`),
    );
    const folderDump = await seconds(() =>
      run(`pg_dump -F d -j 2 --compress=zstd -f ${work}/new source`),
    );
    say(
      `dump             old ${formatDuration(plainDump)}   directory ${formatDuration(folderDump)}`,
    );
    const folder = join(project.folder, "new");
    mkdirSync(folder);
    await execa(`docker exec ${agent} tar -C ${work}/new -cf - . | tar -xf - -C ${folder}`, {
      shell: true,
    });
    await run("dropdb source");

    const old = await seconds(() =>
      run(`createdb old && bunzip2 -c ${work}/old.sql.bz2 | psql -qX -f - old > /dev/null 2>&1`),
    );
    await run(`dropdb old && rm -rf ${work}`);

    project.reconfigure("dev", {
      postgres: { port: project.port("dev"), memory: "4 GB" },
      data: { dump: "new" },
    });
    const whole = await seconds(up);
    const report = await lastRestore(agent);
    expect(report.result).toBe("restored");
    const restore = report.steps.reduce((sum, step) => sum + step.seconds, 0);
    say(`old restore      ${formatDuration(old)}   (createdb, bunzip2 | psql -f)`);
    say(`our restore      ${formatDuration(restore)}   (${stepsText(report)})`);
    say(
      `whole up         ${formatDuration(whole)}   of which not the restore: ${formatDuration(whole - restore)} (goal ≤ 15 s)`,
    );
    say(
      `old / ours       ${(old / restore).toFixed(2)}× the restore, ${(old / whole).toFixed(2)}× the whole up (goal ≥ 2.4×)`,
    );
    say(
      `away             ${formatDuration(report.awaySeconds)}   (the old procedure: the whole restore)`,
    );
  },
);

async function up(): Promise<void> {
  const { exitCode, text } = await project.pulumi("up", "--yes", "--skip-preview", "-s", "dev");
  if (exitCode !== 0) throw new Error(text);
}

function schema(): string {
  return readFileSync(join(checkout, "examples/timesheets/schema.sql"), "utf8");
}
