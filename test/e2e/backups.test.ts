import { setTimeout as sleep } from "node:timers/promises";
import { beforeAll, expect, test, vi } from "vitest";
import { jobResultSchema } from "../../model/backup/protocol";
import { observationSchema } from "../../model/observation/observation";
import { runDocker, smallDump, useProject, type SettingChanges } from "../support/stacks/project";
import { atMost, polling } from "../support/time/limit.mjs";

const project = useProject();
const stack = "staging";

const settings = (changes: SettingChanges = {}): SettingChanges => ({
  data: { dump: project.writeDump("small.sql", smallDump("small", 3)) },
  ...changes,
});

/** What was written at the beginning, and where in PostgreSQL's log it stands. */
let written: { readonly segment: string; readonly at: number };

beforeAll(async () => {
  await project.makeStack(stack, settings());
  expect(await project.up(stack)).toMatchObject({ exitCode: 0 });
  // Switched on later, because that takes more: PostgreSQL's container is made anew.
  project.reconfigure(stack, settings({ backups: { pointInTime: {} } }));
  expect(await project.up(stack)).toMatchObject({ exitCode: 0 });
  // The agent makes the first base backup by itself; from its end on every moment can be recovered.
  const archive = async (): Promise<void> => {
    const observed = await runDocker(
      ...["exec", project.names(stack).agent, "stagecraft-agent", "observe"],
    );
    const { windows } = observationSchema.parse(JSON.parse(observed.text)).archive;
    expect(windows).toHaveLength(1);
    expect(Date.now()).toBeGreaterThan(Date.parse(windows[0]?.first ?? "") + 1000);
  };
  await vi.waitFor(archive, polling);
  const note = `UPDATE small SET note = note; SELECT pg_walfile_name(pg_current_wal_insert_lsn()), extract(epoch FROM clock_timestamp())`;
  const [segment = "", at] = (await project.psql(stack, note)).split("|");
  written = { segment, at: Number(at) };
});

/** Ids of the containers. */
async function containers(): Promise<string> {
  const { agent, postgres } = project.names(stack);
  return (await runDocker("inspect", "--format", "{{.Id}} {{.State.StartedAt}}", agent, postgres))
    .text;
}

test("another schedule is shown with its next five runs, and is an update in place", async () => {
  const before = await containers();
  const jobs = { nightly: { schedule: "11 2 * * *" } };
  project.reconfigure(stack, settings({ backups: { jobs, pointInTime: {} } }));
  const { text } = await project.preview(stack);
  expect(text).toMatch(/nightly \(backup\) runs next at (?:[\d-]+ 02:11 UTC, ){4}[\d-]+ 02:11 UTC/);
  expect(text).toMatch(/~ 2 to update/);
  expect(text).not.toMatch(/to (?:replace|create|delete)/);
  expect(await project.up(stack)).toMatchObject({ exitCode: 0 });
  expect(await project.up(stack, "--expect-no-changes")).toMatchObject({ exitCode: 0 });
  expect(await containers()).toBe(before);
});

test("a backup by hand has the stack's state, with its secrets encrypted, and status tells of it", async () => {
  const { exitCode, text: told } = await project.stagecraft("backup", stack, "--json");
  expect(exitCode).toBe(0);
  const { succeeded, backup } = jobResultSchema.parse(JSON.parse(told.slice(told.indexOf("{"))));
  expect(succeeded).toBe(true);
  const folder = `/var/backups/stagecraft/${backup ?? ""}`;
  const state = await runDocker(
    ...["exec", project.names(stack).agent, "cat", `${folder}/pulumi-state.json`],
  );
  expect(state.text).toContain("stagecraft:index:StagingServer");
  for (const password of Object.values(project.passwords))
    expect(state.text).not.toContain(password);
  const { text } = await project.stagecraft("status", stack);
  expect(text).toMatch(
    new RegExp(`backups +${backup ?? ""}, \\d+ s old, unverified · next .* 02:11 UTC by nightly`),
  );
});

test("a schedule that was lost with the agent's volume is seen at preview, and put back", async () => {
  await runDocker("exec", project.names(stack).agent, "rm", "/var/lib/stagecraft/backups.json");
  expect((await project.preview(stack, "--expect-no-changes")).exitCode).not.toBe(0);
  expect(await project.up(stack)).toMatchObject({ exitCode: 0 });
  expect(await project.up(stack, "--expect-no-changes")).toMatchObject({ exitCode: 0 });
});

test("what was written is archived within a minute, on a server on which nothing else is written", async () => {
  const { segment, at } = written;
  const find = `stat -c %Y /var/lib/pgbackrest/archive/*/*/*/${segment}-* 2>/dev/null`;
  const archived = async (): Promise<number> => {
    const { text } = await runDocker("exec", project.names(stack).agent, "sh", "-c", find);
    expect(text).toMatch(/^\d+$/);
    return Number(text);
  };
  const archivedAt = await vi.waitFor(archived, polling);
  expect(archivedAt - at).toBeLessThanOrEqual(45 + atMost(15));
  const setting = "SELECT setting::int FROM pg_settings WHERE name = 'archive_timeout'";
  expect(Number(await project.psql(stack, setting))).toBeLessThan(60);
});

test("a table is taken back from the server as it was at a moment, beside it, and nothing stays of that", async () => {
  await project.psql(stack, "INSERT INTO small VALUES (77, 'needed')");
  await sleep(20);
  const moment = await project.psql(stack, "SELECT clock_timestamp() AT TIME ZONE 'UTC'");
  await sleep(20);
  await project.psql(stack, "DELETE FROM small");

  const stagecraft = async (...args: string[]): Promise<string> => {
    const { exitCode, text } = await project.stagecraft(...args);
    expect(exitCode, text).toBe(0);
    return text;
  };
  expect(await stagecraft("restore", stack, "--to", `${moment} UTC`)).toContain(
    `recovery instance of ${stack} as of`,
  );
  expect(
    await stagecraft(
      "pitr",
      stack,
      "psql",
      "timesheets",
      "--",
      "-XqAtc",
      "SELECT max(id) FROM small",
    ),
  ).toBe("77");
  expect(await stagecraft("pitr", stack, "copy-table", "small", "--as", "small_then")).toContain(
    "small_then",
  );
  expect(await stagecraft("side", stack, "remove")).toBe(
    `the recovery instance of ${stack} was removed`,
  );
  expect(await stagecraft("pitr", stack, "status")).toContain(`${stack} has no recovery instance`);
  await project.psql(stack, "INSERT INTO small SELECT * FROM small_then");
  expect(await project.psql(stack, "SELECT count(*), max(note) FROM small")).toBe("4|note 2");
  await project.psql(stack, "DROP TABLE small_then");
});
