import { expect, it } from "vitest";
import { jobResultSchema } from "../../model/backup/protocol";
import { formatBytes } from "../../model/base/units";
import { useProject } from "../support/stacks/project";
import { inside, type Inside } from "./inside";
import { median, say } from "./measure";

/** Of pgbench, 15 MB each. */
const scale = Number(process.env["STAGECRAFT_BENCH_SCALE"] ?? 40);
const rounds = 5;
const project = useProject();

/** What goes on beside the clients. */
interface Other {
  readonly where: Inside;
  readonly what: string;
}

it(
  "lets clients work beside a backup as beside a bare pg_dump",
  { timeout: 3_600_000 },
  async () => {
    await project.makeStack("dev", { postgres: { port: project.port("dev"), memory: "2 GB" } });
    const { exitCode, text } = await project.pulumi("up", "--yes", "--skip-preview", "-s", "dev");
    if (exitCode !== 0) throw new Error(text);
    // As people run them: clients and pg_dump on PostgreSQL's own machine, none of them before another.
    const people = inside(project.names("dev").postgres);
    const agent = inside(project.names("dev").agent);

    await people("dropdb --force timesheets; createdb busy");
    await people(`pgbench -qi -s ${scale} busy 2> /dev/null`);
    const bytes = Number(await people("psql -qXAtc \"SELECT pg_database_size('busy')\" postgres"));
    say(`database         ${formatBytes(bytes)}, 4 clients of pgbench`);

    /** Transactions a second while something else is done again and again. */
    const speedBeside = async ({ where, what }: Other): Promise<number> => {
      const other = where(
        `touch /tmp/beside; (while [ -e /tmp/beside ]; do ${what}; done) > /tmp/beside.log 2>&1; cat /tmp/beside.log`,
      );
      const told = await people("pgbench -n -c 4 -j 1 -T 10 busy 2> /dev/null");
      await where("rm /tmp/beside");
      for (const line of (await other).split("\n").filter((line) => line.startsWith("{"))) {
        const result = jobResultSchema.parse(JSON.parse(line));
        expect(result.succeeded, result.text).toBe(true);
      }
      return Number(/^tps = ([\d.]+)/m.exec(told)?.[1]);
    };
    const folder = "/var/lib/pgbackrest/beside";
    const others: Readonly<Record<string, Other>> = {
      nothing: { where: people, what: "sleep 0.1" },
      "bare pg_dump": {
        where: people,
        what: `rm -rf ${folder}; pg_dump -F d -j 2 --compress=zstd -f ${folder} busy`,
      },
      "our backup": {
        where: agent,
        what: `echo '${JSON.stringify({ server: "dev", job: null })}' | stagecraft-agent backup`,
      },
    };
    const speeds = new Map<string, number[]>();
    for (let i = 0; i < rounds; i++)
      for (const [name, other] of Object.entries(others))
        speeds.set(name, [...(speeds.get(name) ?? []), await speedBeside(other)]);

    const of = (name: string): number => median(speeds.get(name) ?? []);
    for (const [name, all] of speeds)
      say(
        `${`beside ${name}`.padEnd(20)} ${of(name).toFixed(0)} transactions a second, ${(of(name) / of("nothing")).toFixed(2)}× of undisturbed   (${all.map((speed) => speed.toFixed(0)).join(", ")})`,
      );
    say(
      `ours / bare          ${(of("our backup") / of("bare pg_dump")).toFixed(2)}× the clients' speed (goal ≥ 1×: a backup slows no more than pg_dump -j 2 does)`,
    );
  },
);
