import { execa } from "execa";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { generateSql } from "../../examples/timesheets/generate";
import { jobResultSchema } from "../../model/backup/protocol";
import { formatBytes, formatDuration } from "../../model/base/units";
import { longestGap } from "../support/databases/longest-gap";
import { exampleDump, useProject, type ProgramResult } from "../support/stacks/project";
import { inside } from "./inside";
import { lastRestore, stepsText } from "./last-restore";
import { say, seconds } from "./measure";
import { checkout } from "../support/files/checkout";

const size = process.env["STAGECRAFT_BENCH_SIZE"] ?? "2GB";
const project = useProject();

it(
  "refreshes staging with a generated database by the old procedure and by ours",
  { timeout: 14_400_000 },
  async () => {
    const postgres = (stack: string): unknown => ({ port: project.port(stack), memory: "4 GB" });
    await project.makeStack("prod", { postgres: postgres("prod"), data: { dump: exampleDump } });
    await done(project.up("prod"));
    const first = await backup();
    await done(project.stagecraft("backups", "verify", "prod", first));
    await project.makeStack("staging", {
      postgres: postgres("staging"),
      data: { from: "server:prod", backup: first },
    });
    await done(project.up("staging"));

    const prod = inside(project.names("prod").agent);
    const staging = inside(project.names("staging").agent);
    const schema = readFileSync(join(checkout, "examples/timesheets/schema.sql"), "utf8");
    await prod("dropdb --force timesheets && createdb timesheets");
    for (const sql of [schema, generateSql({ size })])
      await prod("psql -qX -v ON_ERROR_STOP=1 timesheets > /dev/null", sql);
    const bytes = await prod("psql -qXAtc \"SELECT pg_database_size('timesheets')\" postgres");
    say(`database         ${formatBytes(Number(bytes))}`);

    const old = "/var/lib/stagecraft/old.sql.bz2";
    const oldDump = await seconds(() => prod(`pg_dump -c -O -F p timesheets | bzip2 > ${old}`));
    const copy = `docker exec ${project.names("prod").agent} cat ${old} | docker exec -i ${project.names("staging").agent} sh -c 'cat > ${old}'`;
    const oldCopy = await seconds(() => execa(copy, { shell: true }));
    await staging("createdb former");
    const oldImport = await seconds(() =>
      staging(
        `dropdb former && createdb former && bunzip2 -c ${old} | psql -qX -f - former > /dev/null 2>&1`,
      ),
    );
    const [oldTables, ourTables] = await Promise.all([staging(tables("former")), prod(tables())]);
    expect(oldTables).toBe(ourTables);
    await staging(`dropdb former && rm ${old}`);
    await prod(`rm ${old}`);

    let id = "";
    const ourBackup = await seconds(async () => (id = await backup()));
    const ourVerification = await seconds(() =>
      done(project.stagecraft("backups", "verify", "prod", id)),
    );
    const folder = `$(echo /var/backups/stagecraft/${id}/pg_dump.*)`;
    await prod("createdb bare");
    const bareRestore = await seconds(() => prod(`pg_restore -j 2 -d bare ${folder} || true`));
    await prod("dropdb bare");
    const preview = await seconds(() =>
      done(project.stagecraft("refresh", "staging", "--preview")),
    );
    let refreshed = "";
    let ourRefresh = 0;
    const away = await longestGap(project, "staging", async () => {
      ourRefresh = await seconds(async () => {
        refreshed = await done(project.stagecraft("refresh", "staging"));
      });
    });
    expect(await staging(tables())).toBe(ourTables);

    const maskedSteps = stepsText(await lastRestore(project.names("staging").agent));

    // What the old procedure does: nothing is masked, nothing defused.
    for (const what of ["masks", "defuse"])
      writeFileSync(
        join(project.folder, `stacks/${what}.ts`),
        `export const ${what} = undefined;\n`,
      );
    const plainBackup = await seconds(async () => (id = await backup()));
    await done(project.stagecraft("backups", "verify", "prod", id));
    const plainRefresh = await seconds(() => done(project.stagecraft("refresh", "staging")));
    expect(await staging(tables())).toBe(ourTables);
    const steps = stepsText(await lastRestore(project.names("staging").agent));

    const whole = oldDump + oldCopy + oldImport;
    const plain = plainBackup + plainRefresh;
    say(
      `old procedure    ${formatDuration(whole)}   (dump ${formatDuration(oldDump)}, copy ${formatDuration(oldCopy)}, import ${formatDuration(oldImport)})`,
    );
    say(
      `ours, the same   ${formatDuration(plain)}   (backup ${formatDuration(plainBackup)}, refresh ${formatDuration(plainRefresh)}, from the command to its end)`,
    );
    say(`                 ${steps}`);
    say(`                 with masks: ${maskedSteps}`);
    say(
      `ours, masked     ${formatDuration(ourBackup + ourRefresh)}   (backup ${formatDuration(ourBackup)}, refresh ${formatDuration(ourRefresh)}; the old procedure masks and defuses nothing)`,
    );
    say(
      `old / ours       ${(whole / plain).toFixed(2)}× the same (goal ≥ 4×), ${(whole / (ourBackup + ourRefresh)).toFixed(2)}× with masks`,
    );
    say(
      `away             ${away.toFixed(2)} s for a client that asks every 10 ms (goal ≤ 1 s); the old procedure ${formatDuration(oldImport)}`,
    );
    say(`preview          ${formatDuration(preview)} (goal ≤ 4 s)`);
    say(
      `verification     ${formatDuration(ourVerification)}; a bare pg_restore -j 2 ${formatDuration(bareRestore)}: ${(ourVerification / bareRestore).toFixed(2)}× (goal ≤ 1.2×); not counted above, as it is the night's work`,
    );
    say(refreshed.split("\n").slice(-6).join("\n"));
  },
);

/** Shows how many tables and hours there are. */
function tables(database = "timesheets"): string {
  return `psql -qXAtc "SELECT (SELECT count(*) FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace), (SELECT count(*) FROM hours)" ${database}`;
}

async function backup(): Promise<string> {
  const text = await done(project.stagecraft("backup", "prod", "--json"));
  return jobResultSchema.parse(JSON.parse(text.slice(text.indexOf("{")))).backup ?? "";
}

async function done(run: Promise<ProgramResult>): Promise<string> {
  const { exitCode, text } = await run;
  if (exitCode !== 0) throw new Error(text);
  return text;
}
