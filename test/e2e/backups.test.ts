import { beforeAll, expect, test } from "vitest";
import { jobResultSchema } from "../../model/backup/protocol";
import { docker, smallDump, useProject, type SettingChanges } from "../support/project";

const project = useProject();
const stack = "staging";

const settings = (changes: SettingChanges = {}): SettingChanges => ({
  data: { dump: project.writeDump("small.sql", smallDump("small", 3)) },
  ...changes,
});

beforeAll(async () => {
  await project.makeStack(stack, settings());
  expect(await project.up(stack)).toMatchObject({ exitCode: 0 });
});

/** Ids of the containers. */
async function containers(): Promise<string> {
  const { agent, postgres } = project.names(stack);
  return (await docker("inspect", "--format", "{{.Id}} {{.State.StartedAt}}", agent, postgres))
    .text;
}

test("another schedule is shown with its next five runs, and is an update in place", async () => {
  const before = await containers();
  const jobs = { nightly: { schedule: "11 2 * * *" } };
  project.reconfigure(stack, settings({ backups: { jobs } }));
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
  const state = await docker(
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
  await docker("exec", project.names(stack).agent, "rm", "/var/lib/stagecraft/backups.json");
  expect((await project.preview(stack, "--expect-no-changes")).exitCode).not.toBe(0);
  expect(await project.up(stack)).toMatchObject({ exitCode: 0 });
  expect(await project.up(stack, "--expect-no-changes")).toMatchObject({ exitCode: 0 });
});
