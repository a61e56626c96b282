import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { generateSql } from "../../examples/timesheets/generate";
import { backupBytes, manifestSchema } from "../../model/backup/manifest";
import { jobResultSchema } from "../../model/backup/protocol";
import { formatBytes, formatDuration } from "../../model/base/units";
import { useProject } from "../support/stacks/project";
import { inside, type Inside } from "./inside";
import { median, say, seconds } from "./measure";
import { checkout } from "../support/files/checkout";

const size = process.env["STAGECRAFT_BENCH_SIZE"] ?? "2GB";
const rounds = 3;
const project = useProject();

it(
  "backs a generated database up by the old procedure and by ours",
  { timeout: 7_200_000 },
  async () => {
    await project.makeStack("dev", { postgres: { port: project.port("dev"), memory: "4 GB" } });
    const { exitCode, text } = await project.pulumi("up", "--yes", "--skip-preview", "-s", "dev");
    if (exitCode !== 0) throw new Error(text);
    const run = inside(project.names("dev").agent);

    await run("dropdb --force timesheets; createdb source");
    const schema = readFileSync(join(checkout, "examples/timesheets/schema.sql"), "utf8");
    await run("psql -qX -v ON_ERROR_STOP=1 source > /dev/null", schema);
    await run("psql -qX -v ON_ERROR_STOP=1 source > /dev/null", generateSql({ size }));
    const bytes = await run("psql -qXAtc \"SELECT pg_database_size('source')\" postgres");
    say(`database         ${formatBytes(Number(bytes))}`);

    const work = "/var/lib/stagecraft/bench";
    await run(`mkdir -p ${work}`);
    const old = await seconds(() => run(`pg_dump -c -O -F p source | bzip2 > ${work}/old.sql.bz2`));
    const oldBytes = Number(await run(`stat -c %s ${work}/old.sql.bz2`));
    const bare: number[] = [];
    const ours: number[] = [];
    let manifest = "";
    for (let i = 0; i < rounds; i++) {
      bare.push(
        await seconds(() =>
          run(`rm -rf ${work}/bare && pg_dump -F d -j 2 --compress=zstd -f ${work}/bare source`),
        ),
      );
      ours.push(
        await seconds(async () => {
          const result = jobResultSchema.parse(
            JSON.parse(
              await run(
                "stagecraft-agent backup 2> /dev/null",
                JSON.stringify({ server: "dev", job: null }),
              ),
            ),
          );
          expect(result.succeeded, result.text).toBe(true);
          manifest = await run(`cat /var/backups/stagecraft/${result.backup ?? ""}/manifest.json`);
        }),
      );
    }
    const ourBytes = backupBytes(manifestSchema.parse(JSON.parse(manifest)));
    const peak = await peakMemory(run);
    await run(`rm -rf ${work}`);

    say(
      `old procedure    ${formatDuration(old)}   ${formatBytes(oldBytes)}   (pg_dump -c -O -F p | bzip2)`,
    );
    say(
      `our backup       ${formatDuration(median(ours))}   ${formatBytes(ourBytes)}   (whole call of the agent: dump, rows counted, checksums, roles, rules)`,
    );
    say(`bare pg_dump     ${formatDuration(median(bare))}   (-F d -j 2 --compress=zstd)`);
    say(
      `old / ours       ${(old / median(ours)).toFixed(2)}× the time (goal ≥ 8×); ours / old ${(ourBytes / oldBytes).toFixed(2)}× the size (goal ≤ 1.4×)`,
    );
    say(`agent's memory   ${formatBytes(peak)} at its peak (goal ≤ 150 MB)`);
  },
);

/** The most memory that the agent's own process has during one more backup. */
async function peakMemory(run: Inside): Promise<number> {
  const script = `
    stagecraft-agent backup > /dev/null 2>&1 &
    peak=0
    while kill -0 $! 2> /dev/null; do
      now=$(awk '/^VmHWM/ { print $2 }' /proc/$!/status 2> /dev/null || true)
      [ "\${now:-0}" -gt "$peak" ] && peak=$now
      sleep 0.05
    done
    wait $!
    echo "$peak"`;
  // In the background stdin would be nothing.
  const withRequest = `request=$(cat); exec 3<<< "$request"; ${script.replace("backup >", "backup <&3 >")}`;
  const request = JSON.stringify({ server: "dev", job: null });
  return 1024 * Number(await run(withRequest, request));
}
