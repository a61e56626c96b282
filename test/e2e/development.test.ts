import { beforeAll, expect, test } from "vitest";
import { runDocker, resultOf, exampleDump, smallDump, useProject } from "../support/stacks/project";

const project = useProject();

beforeAll(async () => {
  await project.makeStack("dev");
  expect(await project.up("dev")).toMatchObject({ exitCode: 0 });
});

test("an up makes a server with the contents of the dump", async () => {
  expect(await project.psql("dev", "SELECT count(*) > 0 FROM hours")).toBe("t");
  expect(await project.output("dev", "url")).toBe(
    `postgresql://timesheets@127.0.0.1:${project.port("dev")}/timesheets`,
  );
  expect(await project.output("dev", "contents")).toBe(exampleDump.split("/").at(-1));
  expect(await project.output("dev", "verdict")).toMatch(/^timesheets ← .* passed/);
});

test("the application and the reader log in with their passwords from the network, and with no other", async () => {
  const log = async (user: string, password: string) =>
    runDocker(
      ...[
        "run",
        "--rm",
        "--network",
        project.names("dev").network,
        "--env",
        `PGPASSWORD=${password}`,
      ],
      ...[
        "--entrypoint",
        "psql",
        await imageOf("dev"),
        "-XAtq",
        "-h",
        project.names("dev").postgres,
      ],
      ...["-U", user, "-d", "timesheets", "-c", "SELECT current_user"],
    );
  const { application, readonly } = project.passwords;
  expect(await log("timesheets", application)).toMatchObject({ exitCode: 0, text: "timesheets" });
  const reader = await log("timesheets_readonly", readonly);
  expect(reader).toMatchObject({ exitCode: 0, text: "timesheets_readonly" });
  expect((await log("timesheets", readonly)).text).toContain("password authentication failed");
});

test("the passwords stand neither in the state nor in what docker shows", async () => {
  const { agent, postgres } = project.names("dev");
  const state = await project.pulumi("stack", "export", "--stack", "dev");
  const containers = await runDocker("inspect", agent, postgres);
  for (const password of Object.values(project.passwords)) {
    expect(state.text).not.toContain(password);
    expect(containers.text).not.toContain(password);
  }
});

test("Pulumi started without our launcher finds the same", async () => {
  // Empty means the SDK's own way to run a program.
  const own = { PULUMI_LANGUAGE_NODEJS_RUN_PATH: "" };
  const run = project.start(own, "preview", "--stack", "dev", "--expect-no-changes");
  expect(await resultOf(run)).toMatchObject({ exitCode: 0 });
});

test("a second up changes nothing", async () => {
  expect(await project.up("dev", "--expect-no-changes")).toMatchObject({ exitCode: 0 });
  const { exitCode, text } = await project.preview("dev", "--expect-no-changes");
  expect(exitCode).toBe(0);
  expect(text).not.toMatch(/warning|Diagnostics/);
});

test("starting it again says that there is nothing to do, and prints a psql command that answers", async () => {
  const { exitCode, text } = await project.stagecraft("start", "dev");
  expect({ exitCode, text }).toMatchObject({ exitCode: 0 });
  expect(text).toContain("Nothing to do: the development server is up");
  const [, psql = ""] = /^ {3}psql +npx stagecraft (.*)$/m.exec(text) ?? [];
  const asked = await project.stagecraft(
    ...psql.split(" "),
    "-Atc",
    "SELECT count(*) FROM projects",
  );
  expect(Number(asked.text)).toBeGreaterThan(0);
});

test("a dropped database is seen at preview, and comes back", async () => {
  await project.psql("dev", "DROP DATABASE timesheets", "postgres");
  const { text } = await project.preview("dev", "--diff");
  expect(text).toMatch(/timesheets is not on dev/);
  expect(text).toMatch(/restoreId *: "\w+-1" => "\w+-2-missing"/);
  expect(await project.up("dev")).toMatchObject({ exitCode: 0 });
  expect(await project.psql("dev", "SELECT count(*) > 0 FROM hours")).toBe("t");
  expect(await project.up("dev", "--expect-no-changes")).toMatchObject({ exitCode: 0 });
});

test("containers that somebody removed come back with the data that was there", async () => {
  await project.psql("dev", "CREATE TABLE made_here AS SELECT 42 AS answer");
  const { agent, postgres } = project.names("dev");
  await runDocker("rm", "--force", agent, postgres);
  expect((await project.preview("dev")).text).toContain(
    `${postgres} is missing; it will be recreated`,
  );
  expect(await project.up("dev")).toMatchObject({ exitCode: 0 });
  expect(await project.psql("dev", "SELECT answer FROM made_here")).toBe("42");
  expect(await project.up("dev", "--expect-no-changes")).toMatchObject({ exitCode: 0 });
});

test("a network and containers that somebody removed come back with the data that was there", async () => {
  const { agent, postgres, network } = project.names("dev");
  await runDocker("rm", "--force", agent, postgres);
  await runDocker("network", "rm", network);
  await project.up("dev");
  expect(await project.psql("dev", "SELECT answer FROM made_here")).toBe("42");
  expect(await project.up("dev", "--expect-no-changes")).toMatchObject({ exitCode: 0 });
});

test("a container that somebody stopped runs again", async () => {
  await runDocker("stop", project.names("dev").agent);
  expect((await project.preview("dev")).text).toContain(
    `${project.names("dev").agent} is not running (exited); it will be recreated`,
  );
  expect(await project.up("dev")).toMatchObject({ exitCode: 0 });
  const { text } = await runDocker(
    "inspect",
    "--format",
    "{{.State.Running}}",
    project.names("dev").agent,
  );
  expect(text).toBe("true");
});

test("a volume that somebody removed is told of at preview, and its contents come back", async () => {
  const { agent, postgres, dataVolume } = project.names("dev");
  await runDocker("rm", "--force", agent, postgres);
  await runDocker("volume", "rm", dataVolume);
  expect((await project.preview("dev")).text).toContain(
    `volume ${dataVolume} is missing, its data is lost; an empty one will be created`,
  );
  expect(await project.up("dev")).toMatchObject({ exitCode: 0 });
  expect(await project.psql("dev", "SELECT count(*) > 0 FROM hours")).toBe("t");
  expect(await project.up("dev", "--expect-no-changes")).toMatchObject({ exitCode: 0 });
  await project.psql("dev", "CREATE TABLE made_here AS SELECT 42 AS answer");
});

test("another dump is seen at preview, and replaces the contents, upgraded and with what is kept", async () => {
  const dump = project.writeDump("small.sql", smallDump("small", 3));
  await project.psql("dev", "ALTER TABLE made_here OWNER TO timesheets_owner");
  project.writeDump(
    "upgrade-1.9-1.10.sql",
    "ALTER TABLE public.small ADD fresh text DEFAULT 'new';\n",
  );
  project.reconfigure("dev", {
    data: { dump },
    database: { name: "timesheets", keep: ["made_here"] },
    upgrades: { folder: ".", baseline: "1.9" },
  });
  const { text } = await project.preview("dev", "--diff");
  expect(text).toContain(`dump     : "${exampleDump.split("/").at(-1) ?? ""}" => "small.sql"`);
  expect(await project.psql("dev", "SELECT answer FROM made_here")).toBe("42");
  const done = await project.up("dev");
  expect(done.exitCode, done.text).toBe(0);
  expect(await project.psql("dev", "SELECT count(*) FROM small WHERE fresh = 'new'")).toBe("3");
  expect(await project.psql("dev", "SELECT answer FROM made_here")).toBe("42");
  expect(await project.psql("dev", "SELECT to_version FROM stagecraft.upgrades")).toBe("1.10");
  expect(await project.up("dev", "--expect-no-changes")).toMatchObject({ exitCode: 0 });
});

test("a dump that fails leaves the contents as they were and fails the update", async () => {
  const dump = project.writeDump(
    "broken.sql",
    smallDump("broken", 3).replace("1\tnote 1", "one\tnote"),
  );
  project.reconfigure("dev", { data: { dump } });
  const { exitCode, text } = await project.up("dev");
  expect(exitCode).not.toBe(0);
  expect(text).toContain("dev was not changed: the import of broken.sql failed");
  expect(text).toMatch(/invalid input syntax for type integer: "one"/);
  expect(await project.psql("dev", "SELECT count(*) FROM small")).toBe("3");
});

test("the name of a database may be anything", async () => {
  const name = `Of "all" things; DROP TABLE small; -- $(touch x)`;
  const dump = project.writeDump("small.sql", smallDump("small", 3));
  project.reconfigure("dev", { data: { dump }, database: { name } });
  expect(await project.up("dev")).toMatchObject({ exitCode: 0 });
  expect(await project.psql("dev", "SELECT count(*) FROM small", name)).toBe("3");
  expect(await project.up("dev", "--expect-no-changes")).toMatchObject({ exitCode: 0 });
});

test("destroy leaves nothing on the engine", async () => {
  expect(await project.pulumi("destroy", "--stack", "dev", "--yes")).toMatchObject({ exitCode: 0 });
  expect(await project.leftovers("ps")).toEqual([]);
  expect(await project.leftovers("volume")).toEqual([]);
  expect(await project.leftovers("network")).toEqual([]);
});

async function imageOf(stack: string): Promise<string> {
  return (await runDocker("inspect", "--format", "{{.Image}}", project.names(stack).postgres)).text;
}
