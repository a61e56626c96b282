import { readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { runDocker, smallDump, useProject } from "../support/stacks/project";

const project = useProject();
const stacks = ["dev", "staging", "prod"] as const;
const addresses = { dev: undefined, staging: "127.0.0.3", prod: undefined };

beforeAll(async () => {
  const dump = project.writeDump("first.sql", smallDump("first", 1));
  for (const stack of stacks) {
    const postgres = { port: project.port(stack), memory: "256 MB", address: addresses[stack] };
    await project.makeStack(stack, { data: { dump }, postgres });
    const up = await project.up(stack);
    expect(up.exitCode, up.text).toBe(0);
  }
});

test("all three servers run side by side, each with data of its own", async () => {
  for (const stack of stacks) {
    await project.psql(stack, `CREATE TABLE only_on_${stack} ()`);
  }
  for (const stack of stacks) {
    const sql = "SELECT relname FROM pg_class WHERE relname LIKE 'only%'";
    expect(await project.psql(stack, sql)).toBe(`only_on_${stack}`);
  }
  expect(await project.leftovers("network")).toHaveLength(3);
});

test("a server answers at the address it is given and at no other, with a certificate for it", async () => {
  const port = project.port("staging");
  expect(await answersAt("127.0.0.3", port)).toBe(true);
  expect(await answersAt("127.0.0.1", port)).toBe(false);
  expect(await project.output("staging", "url")).toBe(
    `postgresql://timesheets@127.0.0.3:${port}/timesheets`,
  );
  const { text } = await runDocker(
    "exec",
    project.names("staging").agent,
    "stagecraft-agent",
    "observe",
  );
  expect(JSON.parse(text)).toMatchObject({
    tls: { names: expect.arrayContaining(["127.0.0.3"]) as string[] },
  });
});

test("production keeps its database when the dump is another", async () => {
  const dump = project.writeDump("second.sql", smallDump("second", 2));
  project.reconfigure("prod", { data: { dump } });
  const { text } = await project.preview("prod", "--diff");
  expect(text).toContain('dump     : "first.sql" => "second.sql"');
  expect(text).toContain("timesheets exists on prod and stays unchanged");
  expect(await project.up("prod")).toMatchObject({ exitCode: 0 });
  expect(await project.psql("prod", "SELECT count(*) FROM first")).toBe("1");
  expect(await project.output("prod", "verdict")).toContain("are never replaced");
  expect(await project.up("prod", "--expect-no-changes")).toMatchObject({ exitCode: 0 });
});

test("production recovers when its database is missing", async () => {
  await project.psql("prod", "DROP DATABASE timesheets", "postgres");
  expect((await project.preview("prod")).text).toContain("timesheets is not on prod");
  expect(await project.up("prod")).toMatchObject({ exitCode: 0 });
  expect(await project.psql("prod", "SELECT count(*) FROM second")).toBe("2");
  expect(await project.up("prod", "--expect-no-changes")).toMatchObject({ exitCode: 0 });
});

test("production's data outlives its stack, and is taken up again", async () => {
  await project.psql("prod", "CREATE TABLE made_here AS SELECT 42 AS answer");
  const refused = await project.pulumi("destroy", "--stack", "prod", "--yes");
  expect(refused.exitCode).not.toBe(0);
  expect(refused.text).toMatch(
    /prod-(?:data|backups|archive)\\?" cannot be deleted\s+because it is protected/,
  );
  const before = await project.leftovers("ps");
  const unseen = await project.pulumi("destroy", "--stack", "prod", "--yes", "--skip-preview");
  expect(unseen.exitCode).not.toBe(0);
  expect(unseen.text).toContain("the data of prod is protected: nothing of it was deleted");
  expect(await project.leftovers("ps")).toEqual(before);
  expect(await project.leftovers("network")).toContain(project.names("prod").network);
  // The table that the superuser has made gets its rights; nothing has to be made again.
  const up = await project.up("prod");
  expect(up, up.text).toMatchObject({ exitCode: 0 });
  expect(up.text).not.toMatch(/\d+ (?:created|deleted|replaced)/);
  expect(await project.psql("prod", "SELECT answer FROM made_here")).toBe("42");
  expect(
    await project.pulumi("destroy", "--stack", "prod", "--yes", "--exclude-protected"),
  ).toMatchObject({ exitCode: 0 });
  expect(await project.leftovers("volume")).toEqual(
    expect.arrayContaining([project.names("prod").dataVolume, project.names("prod").agentVolume]),
  );
  expect(await project.leftovers("ps")).not.toContain(project.names("prod").postgres);
  const again = await project.up("prod");
  expect(again, again.text).toMatchObject({ exitCode: 0 });
  expect(await project.psql("prod", "SELECT answer FROM made_here")).toBe("42");
  expect(await project.up("prod", "--expect-no-changes")).toMatchObject({ exitCode: 0 });
});

test("a server whose resource is renamed with an alias keeps its volumes", async () => {
  const file = join(project.folder, "stacks/prod.ts");
  const source = readFileSync(file, "utf8");
  writeFileSync(
    file,
    source
      .replace('ProductionServer("prod", {', 'ProductionServer("live", {')
      .replace(/\}\);\n$/, '}, { aliases: [{ name: "prod" }] });\n'),
  );
  const preview = await project.preview("prod");
  expect(preview.text).toContain(
    'ProductionServer "live" was renamed by an alias and still stands for "prod"; set server: "prod"',
  );
  expect(preview.text).not.toMatch(/\b(?:create|delete|replace)\b/);
  expect(await project.up("prod")).toMatchObject({ exitCode: 0 });
  writeFileSync(
    file,
    source.replace('ProductionServer("prod", {', 'ProductionServer("live", {\n    server: "prod",'),
  );
  const up = await project.up("prod", "--expect-no-changes");
  expect(up, up.text).toMatchObject({ exitCode: 0 });
  expect(await project.psql("prod", "SELECT answer FROM made_here")).toBe("42");
});

test("containers made anew after several refreshes change nothing further", async () => {
  for (const name of ["third", "fourth"]) {
    const dump = project.writeDump(`${name}.sql`, smallDump(name, 3));
    project.reconfigure("staging", { data: { dump } });
    expect(await project.up("staging")).toMatchObject({ exitCode: 0 });
  }
  await project.psql("staging", "CREATE TABLE made_here ()");
  await runDocker("rm", "--force", project.names("staging").agent);
  expect(await project.up("staging")).toMatchObject({ exitCode: 0 });
  expect(await project.psql("staging", "SELECT count(*) FROM made_here")).toBe("0");
  expect(await project.up("staging", "--expect-no-changes")).toMatchObject({ exitCode: 0 });
});

async function answersAt(host: string, port: number): Promise<boolean> {
  const socket = connect({ host, port });
  return new Promise((resolve) => {
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => {
      resolve(false);
    });
  });
}
