import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { checkout } from "../support/files/checkout";
import { signalRestore } from "../support/stacks/disturbed-restore";
import { startHeldUpdate, untilHeld } from "../support/stacks/held-update";
import { runDocker, resultOf, smallDump, useProject } from "../support/stacks/project";

const project = useProject();
const up = ["up", "--stack", "dev", "--yes", "--skip-preview"];

beforeAll(async () => {
  await project.makeStack("dev", { data: { dump: project.writeDump("a.sql", smallDump("a", 1)) } });
});

describe("before anything is touched", () => {
  test("wrong settings are told in one go", async () => {
    project.reconfigure("dev", {
      postgres: { port: 70_000, memroy: "1 GB" },
      data: { dump: "nowhere.sql" },
    });
    const { exitCode, text } = await project.preview("dev");
    expect(exitCode).not.toBe(0);
    expect(text).toMatch(
      /error: Pulumi\.dev\.yaml has 3 problems\n +postgres\.port +must be a port from 1 to 65535, got 70000\n +postgres\.memroy +unknown key; did you mean memory\?\n +data\.dump +there is no file nowhere\.sql/,
    );
    expect(text).not.toMatch(/ at .*\.(js|ts):/);
  });

  test("a password in plain text is refused, and a secret for an environment that everybody reads", async () => {
    const application = { image: "shop:1", port: await project.applicationPort() };
    project.reconfigure("dev", { data: { dump: "a.sql" }, application });
    const set = ["config", "set", "--plaintext", "--path", "passwords.readonly", "not so secret"];
    await project.pulumi(...set, "--stack", "dev");
    await project.setSecrets("dev", { "application.environment.TOKEN": "very secret" });
    const { exitCode, text } = await project.preview("dev");
    expect(exitCode).not.toBe(0);
    expect(text).toMatch(
      /passwords\.readonly +must be a secret, .*\n +application\.environment +contains a secret, but environment variables are visible to anyone with access to the Docker engine; use plain values only/,
    );
    expect(text).not.toMatch(/not so secret|very secret/);
  });

  test("ports that are taken are named, with the keys to change", async () => {
    const application = { image: "shop:1", port: await project.applicationPort() };
    project.reconfigure("dev", { data: { dump: "a.sql" }, application });
    const ports = [project.port("dev"), application.port];
    const others = ports.map((port) => createServer().listen(port, "127.0.0.1"));
    await Promise.all(others.map(async (other) => once(other, "listening")));
    try {
      const { exitCode, text } = await project.up("dev");
      expect(exitCode).not.toBe(0);
      expect(text).toMatch(
        new RegExp(
          `postgres\\.port +${ports[0]} is in use by another program on 127.0.0.1; stop it, or choose another port\n` +
            ` +application\\.port +${ports[1]} is in use by another program on 127.0.0.1; stop it, or choose another port`,
        ),
      );
      expect(await project.leftovers("network")).toEqual([]);
    } finally {
      for (const other of others) other.close();
    }
  });

  test("an address that this machine does not have is named before anything is made", async () => {
    const postgres = { port: project.port("dev"), memory: "256 MB", address: "192.0.2.7" };
    project.reconfigure("dev", { data: { dump: "a.sql" }, postgres });
    const { exitCode, text } = await project.preview("dev");
    expect(exitCode).not.toBe(0);
    expect(text).toContain(
      "postgres.address   192.0.2.7 is not an address of this machine; use one of its addresses, or 0.0.0.0 for all",
    );
  });

  test("an engine that is down is named, with the fix", async () => {
    const dead = { DOCKER_HOST: "unix:///nowhere/docker.sock" };
    const { exitCode, text } = await resultOf(project.start(dead, ...up));
    expect(exitCode).not.toBe(0);
    expect(text).toContain("no Docker engine answers at DOCKER_HOST=unix:///nowhere/docker.sock");
    expect(text).toContain("start that engine, or unset DOCKER_HOST to use this machine's own");
  });

  test("a wrong passphrase is told", async () => {
    const wrong = { PULUMI_CONFIG_PASSPHRASE: "another" };
    const { exitCode, text } = await resultOf(project.start(wrong, ...up));
    expect(exitCode).not.toBe(0);
    expect(text).toContain("incorrect passphrase");
  });

  test("a stack without an environment is told which there are", async () => {
    await project.makeStack("qa", { postgres: { port: 15432 } });
    const { exitCode, text } = await project.preview("qa");
    expect(exitCode).not.toBe(0);
    expect(text).toContain(
      'there is no environment for stack "qa"; the stacks are dev, staging, prod',
    );
  });
});

test("a second up at once is told that another is running, and harms nothing", async () => {
  const dump = project.writeDump("b.sql", smallDump("b", 5));
  project.reconfigure("dev", { data: { dump } });
  const first = startHeldUpdate(project, "dev", "restore");
  await untilHeld(first, "restore");
  const second = await project.up("dev");
  expect(second.exitCode).not.toBe(0);
  expect(second.text).toContain("currently locked");
  expect(second.text).toContain("pulumi cancel");
  await runDocker("exec", project.names("dev").agent, ...signalRestore("CONT"));
  expect(await resultOf(first)).toMatchObject({ exitCode: 0 });
  expect(await project.psql("dev", "SELECT count(*) FROM b")).toBe("5");
});

test.each([
  ["second-dump-cut.sql.gz", /is truncated: 2 dumps begin in it/],
  ["rows-behind-triggers.sql", /table public\.quiet has 3 rows in the database, 6 in the dump/],
])("%s, which lacks rows, fails the update and replaces nothing", async (file, text) => {
  const dump = join(checkout, "test/support/cases/restore", file);
  project.reconfigure("dev", { data: { dump } });
  const { exitCode, text: said } = await project.up("dev");
  expect(exitCode).not.toBe(0);
  expect(said).toMatch(text);
  expect(await project.psql("dev", "SELECT count(*) FROM b")).toBe("5");
});

describe("a container that is in the way", () => {
  const name = (): string => project.names("staging").agent;

  beforeAll(async () => {
    await project.makeStack("staging", { data: { dump: "a.sql" } });
    const labels = { "stagecraft.project": project.prefix, "stagecraft.server": "staging" };
    const marks = Object.entries(labels).flatMap(([key, value]) => ["--label", `${key}=${value}`]);
    const format = "{{.Config.Image}}";
    const { text } = await runDocker("inspect", "--format", format, project.names("dev").agent);
    const made = await runDocker("create", "--name", name(), ...marks, text.trim());
    expect(made, made.text).toMatchObject({ exitCode: 0 });
  });

  test("is told with whose it may be, and another folder's is not to be removed", async () => {
    const { exitCode, text } = await project.stagecraft("up", "staging");
    // Networks and volumes were created before.
    expect(exitCode).toBe(3);
    expect(text).toMatch(
      new RegExp(
        `error: container ${name()} \\(created, created .* UTC\\) belongs to server staging, which is not in this stack's state\\n` +
          " +fix +if it belongs to another project folder: leave it as it is",
      ),
    );
  });

  test("is to be removed where a killed update of this stack was making it, and then the next one goes on", async () => {
    forgetHalfWay();
    const { text } = await project.stagecraft("up", "staging");
    expect(text).toContain(
      `container ${name()} was left by an update of stack staging that was killed\n  fix  docker rm -f ${name()}   then start again`,
    );
    await runDocker("rm", "-f", name());
    const up = await project.stagecraft("up", "staging");
    expect(up, up.text).toMatchObject({ exitCode: 0 });
  });

  /** Makes the state what it is when Pulumi is killed while it makes the container; an import would leave that out. */
  function forgetHalfWay(): void {
    const file = join(project.folder, ".stagecraft/state/.pulumi/stacks/stagecraft/staging.json");
    const state = JSON.parse(readFileSync(file, "utf8")) as {
      readonly checkpoint: { readonly latest: Record<string, unknown> };
    };
    const urn = "urn:pulumi:staging::stagecraft::docker:index/container:Container::staging-agent";
    const type = "docker:index/container:Container";
    const resource = { urn, custom: true, type, inputs: { name: name() } };
    state.checkpoint.latest["pending_operations"] = [{ resource, type: "creating" }];
    writeFileSync(file, JSON.stringify(state));
  }
});
