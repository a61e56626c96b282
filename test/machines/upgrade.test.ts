import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { versions } from "../../tools/versions";
import { checkout } from "../support/files/checkout";
import { runDocker, TestProject } from "../support/stacks/project";

/** The last commit before files, verbs and messages got the names they have now. */
const before = "72b4945";

const stacks = ["dev", "staging", "prod"] as const;
const project = new TestProject();
const oldSources = mkdtempSync(join(tmpdir(), "stagecraft-before-"));

/** What must be the same after the upgrade, by stack. */
const found = new Map<string, Awaited<ReturnType<typeof facts>>>();
const backups: string[] = [];

beforeAll(async () => {
  const archive = execFileSync("git", ["archive", before], { cwd: checkout, maxBuffer: 2 ** 28 });
  execFileSync("tar", ["-x", "-C", oldSources], { input: archive });
  await project.prepare();
  // The old version's name of its base image.
  const oldBase = "debian:trixie-slim";
  const { exitCode } = await runDocker("image", "inspect", oldBase);
  if (exitCode !== 0) await runDocker("tag", versions.baseImage, oldBase);
  project.useSources(oldSources);
  for (const stack of stacks) await project.makeStack(stack);
  await oldUp("prod");
  await oldUp("dev");
  await oldUp("staging");
  while (backups.length < 2) {
    const made = ask("prod", "backup", { job: null });
    backups.push((JSON.parse(made) as { backup: string }).backup);
  }
  ask("prod", "verify", { backup: backups[0] });
  for (const backup of backups) {
    const data = { from: "server:prod", backup, acceptUnverified: true };
    project.reconfigure("staging", { data });
    await oldUp("staging");
  }
  for (const stack of stacks) {
    await project.psql(stack, "CREATE TABLE written_before AS SELECT 42 AS answer");
    found.set(stack, await facts(stack));
  }
  project.useSources(checkout);
});

afterAll(async () => {
  await project.remove();
  rmSync(oldSources, { recursive: true, force: true });
});

/** An update by the program of the sources before. */
async function oldUp(stack: string): Promise<void> {
  const runner = join(project.folder, "stacks", "run.js");
  const run = project.start(
    { PULUMI_LANGUAGE_NODEJS_RUN_PATH: runner },
    ...["up", "--stack", stack, "--yes", "--skip-preview"],
  );
  const { exitCode, all } = await run;
  expect(exitCode, all).toBe(0);
}

/** The answer of a verb of the agent. */
function ask(stack: string, verb: string, request: object): string {
  const { agent } = project.names(stack);
  const input = JSON.stringify({ server: stack, ...request });
  const command = ["docker", "exec", "-i", agent, "stagecraft-agent", verb];
  return execFileSync(command[0] ?? "", command.slice(1), { input, encoding: "utf8" });
}

interface Resource {
  readonly urn: string;
  readonly type: string;
  readonly id?: string;
}

async function resources(stack: string): Promise<Resource[]> {
  const { text } = await project.pulumi("stack", "export", "--stack", stack);
  const { deployment } = JSON.parse(text) as { deployment: { resources: Resource[] } };
  return deployment.resources;
}

/** The scratch container and its volume are new. */
const isNew = (urn: string): boolean => urn.endsWith("-scratch");

/** What an upgrade must not change: resources, volumes, networks, the cluster, its databases and their stamps. */
async function facts(stack: string) {
  const all = await resources(stack);
  const { network, ...parts } = project.parts(stack);
  const volumes = parts.volumes.filter((name) => !isNew(name));
  const mounted = "{{.Name}} {{.Mountpoint}}";
  const shown = [
    await runDocker("volume", "inspect", "--format", mounted, ...volumes),
    await runDocker("network", "inspect", "--format", "{{.Name}} {{.Id}}", network),
  ];
  return {
    urns: all.flatMap(({ urn }) => (isNew(urn) ? [] : [urn])).sort(),
    kept: shown.map(({ text }) => text),
    // In the agent's volume.
    authority: await project.output(stack, "ca"),
    cluster: await project.psql(stack, "SELECT system_identifier FROM pg_control_system()"),
    databases: await project.psql(
      stack,
      // The agent creates its own one when it first needs a lock.
      "SELECT oid, datname, setconfig FROM pg_database LEFT JOIN pg_db_role_setting s ON s.setdatabase = oid WHERE datname <> 'stagecraft_agent' ORDER BY oid",
    ),
    rows: await project.psql(stack, "SELECT answer FROM written_before"),
    roles: await project.psql(
      stack,
      "SELECT rolname, rolcanlogin, rolpassword FROM pg_authid ORDER BY rolname",
    ),
  };
}

interface Step {
  readonly op: string;
  readonly urn: string;
  readonly diffReasons?: readonly string[];
  readonly replaceReasons?: readonly string[];
}

test.each(stacks)(
  "the preview of %s replaces nothing but the containers, for their image, log, defaults of PostgreSQL and the new volume",
  async (stack) => {
    const preview = project.start({}, "preview", "--stack", stack, "--json");
    const { stdout } = await preview;
    const { steps } = JSON.parse(stdout) as { steps: readonly Step[] };
    const others = steps.filter(
      ({ op, urn }) => !["same", "update", "read"].includes(op) && !(op === "create" && isNew(urn)),
    );
    const containers = others.filter(({ urn }) =>
      urn.includes("docker:index/container:Container::"),
    );
    expect(others).toEqual(containers);
    const reasonsOf = (which: readonly Step[]): Set<string> =>
      new Set(which.flatMap(({ replaceReasons = [] }) => replaceReasons));
    const isAgent = ({ urn }: Step): boolean => urn.endsWith(`::${stack}-agent`);
    const postgres = containers.filter(({ urn }) => urn.endsWith(`::${stack}-postgres`));
    expect(reasonsOf(postgres)).toEqual(new Set(["command", "image", "logOpts"]));
    expect(reasonsOf(containers.filter((step) => !isAgent(step)))).toEqual(
      new Set(["command", "image", "logOpts"]),
    );
    // It gets the volume of the scratch container.
    expect(reasonsOf(containers.filter(isAgent))).toEqual(new Set(["image", "logOpts", "volumes"]));
  },
);

test.each(stacks)(
  "an update of %s leaves every resource, volume and row as it is",
  async (stack) => {
    const up = await project.up(stack);
    expect(up.exitCode, up.text).toBe(0);
    expect(await facts(stack)).toEqual(found.get(stack));
    expect(await project.up(stack, "--expect-no-changes")).toMatchObject({ exitCode: 0 });
  },
);

test("backups, reports and logs made before are read", async () => {
  const catalogue = await project.stagecraft("backups", "prod");
  expect(catalogue.exitCode, catalogue.text).toBe(0);
  for (const id of backups) expect(catalogue.text).toContain(id);
  expect(catalogue.text).toContain("restored");
  const verified = await project.stagecraft("backups", "verify", "prod", backups[1] ?? "");
  expect(verified.exitCode, verified.text).toBe(0);
  const status = await project.stagecraft("status");
  expect(status.exitCode, status.text).toBe(0);
  expect(status.text).toContain(backups[1]);
  const logs = await project.stagecraft("log", "staging", "--list");
  expect(logs.exitCode, logs.text).toBe(0);
  expect(logs.text).toContain("restore.log");
});

test("staging rolls back to the previous version of before, and refreshes from the backup of before", async () => {
  const back = await project.stagecraft("rollback", "staging");
  expect(back.exitCode, back.text).toBe(0);
  expect(await project.psql("staging", "SELECT count(*) FROM hours")).toBe("3500");
  expect(await project.output("staging", "contents")).toBe(backups[0]);
  const refreshed = await project.stagecraft("refresh", "staging", "--backup", backups[1] ?? "");
  expect(refreshed.exitCode, refreshed.text).toBe(0);
  expect(await project.output("staging", "contents")).toBe(backups[1]);
  expect(await project.up("staging", "--expect-no-changes")).toMatchObject({ exitCode: 0 });
});
