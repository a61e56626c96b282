import { execa } from "execa";
import { once } from "node:events";
import { createServer } from "node:net";
import { join } from "node:path";
import { Client } from "pg";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { inspectContainers } from "../../engine/containers";
import { smallDump, useProject } from "../support/stacks/project";
import { useSecondEngine } from "../support/engines/second-engine";
import { checkout } from "../support/files/checkout";
import { processOfTest } from "../support/programs/process";
import { until } from "../support/time/until";

const engine = useSecondEngine();
const project = useProject();
const bin = join(checkout, "bin/stagecraft.js");

const settings = (host: string) => ({ host, data: { dump: "a.sql" } });

beforeAll(async () => {
  project.writeDump("a.sql", smallDump("a", 3));
  await project.makeStack("dev", settings(engine.host()));
});

describe("before anything is touched", () => {
  beforeEach(async () => engine.disconnect());

  test.each([
    [
      "a host where nobody listens",
      () => engine.host("closed"),
      (host: string) => [
        `${host} cannot be reached: connect to host 127.0.0.1 port 1: Connection refused`,
        `check its name and port, and that sshd is running there: ssh ${host}`,
      ],
    ],
    [
      "a host whose key is not known",
      () => engine.host("unknown"),
      (host: string) => [
        `the host key of ${host} is unknown on this machine`,
        `connect once manually and compare the host key: ssh ${host}`,
      ],
    ],
    [
      "a host that shows another key",
      () => engine.host("changed"),
      (host: string) => [
        `the host key of ${host} has changed, so it may be another machine`,
        `ask its administrator; if the key was replaced: ssh-keygen -R "[127.0.0.1]:${engine.port}", then compare the new key: ssh ${host}`,
      ],
    ],
    [
      "a user who is not let in",
      () => engine.host(undefined, "nobody"),
      (host: string) => [
        `${host} denies access: Permission denied (publickey)`,
        `add your public key to ~/.ssh/authorized_keys there, then check: ssh ${host}`,
      ],
    ],
    [
      "a user who may not use Docker",
      () => engine.host(undefined, "guest"),
      (host: string) => [
        `the user of ${host} may not use the Docker engine there`,
        'there: sudo usermod -aG docker "$USER"',
      ],
    ],
  ])("%s is told with what to do about it", async (_, hostOf, lines) => {
    const host = hostOf();
    project.reconfigure("dev", settings(host));
    const { exitCode, text } = await project.up("dev");
    expect(exitCode).not.toBe(0);
    expect(text.replace(/\n +/g, "\n")).toContain(`error: ${lines(host).join("\n")}\n`);
    expect(text).not.toMatch(/ at .*\.(js|ts):/);
    await expectNothing();
  });

  test("a host without Docker, and one whose engine is down, are told apart", async () => {
    project.reconfigure("dev", settings(engine.host()));
    await engine.run("mv", "/usr/bin/docker", "/usr/bin/docker-away");
    const without = await project.up("dev");
    await engine.run("mv", "/usr/bin/docker-away", "/usr/bin/docker");
    expect(without.text).toMatch(
      /error: Docker is not installed on ssh:\S+\n +install it there: https:\/\/docs\.docker\.com\/engine\/install\/\n/,
    );
    await engine.run("mv", "/run/docker.sock", "/run/docker-away.sock");
    const down = await project.up("dev");
    await engine.run("mv", "/run/docker-away.sock", "/run/docker.sock");
    expect(down.text).toMatch(
      /error: the Docker engine of ssh:\S+ does not answer\n +start it there: sudo systemctl enable --now docker\n/,
    );
    await expectNothing();
  });

  test("an address that is none is told with the other problems", async () => {
    project.reconfigure("dev", { ...settings("ssh:/nowhere"), data: {} });
    expect((await project.up("dev")).text).toMatch(
      /Pulumi\.dev\.yaml has 2 problems\n +host +must be local or an address like ssh:\/\/ops@staging\.example\.com, got "ssh:\/nowhere"\n +data +defines no source/,
    );
  });

  test("status tells of a server out of reach, and hides none of the others", async () => {
    project.reconfigure("dev", settings(engine.host("closed")));
    const { stdout } = await stagecraft("status", "dev");
    expect(stdout).toContain(`dev  unreachable · ${engine.host("closed")}`);
    expect(stdout).toContain("port 1: Connection refused; check its name and port");
  });
});

describe("a server on another machine", () => {
  beforeAll(async () => {
    await engine.disconnect();
    project.reconfigure("dev", settings(engine.host()));
  });

  test("is made there alone, over one connection, and whatever takes its port here", async () => {
    const before = await engine.connections();
    const other = createServer().listen(project.port("dev"), "127.0.0.1");
    await once(other, "listening");
    try {
      expect(await project.up("dev")).toMatchObject({ exitCode: 0 });
    } finally {
      other.close();
    }
    expect((await engine.connections()) - before).toBe(1);
    const { containers, network, volumes } = project.parts("dev");
    expect(await engine.everything()).toEqual([...containers, network, ...volumes].sort());
    for (const kind of ["ps", "network", "volume"] as const) {
      expect(await project.leftovers(kind)).toEqual([]);
    }
    expect((await engine.docker("port", project.names("dev").postgres)).stdout).toBe(
      `5432/tcp -> 127.0.0.1:${project.port("dev")}`,
    );
  });

  test("has the contents of the dump, which was here", async () => {
    expect(await psql("SELECT count(*) FROM a")).toBe("3");
  });

  test("does not change by a second up, nor by a look at what is there", async () => {
    expect(await project.up("dev", "--expect-no-changes")).toMatchObject({ exitCode: 0 });
    expect(await project.up("dev", "--refresh", "--expect-no-changes")).toMatchObject({
      exitCode: 0,
    });
  });

  test("is reached by many calls at once over one connection", async () => {
    await engine.disconnect();
    const before = await engine.connections();
    const { postgres } = project.names("dev");
    const calls = Array.from({ length: 30 }, async () =>
      inspectContainers(engine.host(), [postgres]),
    );
    for (const found of await Promise.all(calls)) expect(found).toMatchObject([{ name: postgres }]);
    expect((await engine.connections()) - before).toBe(1);
  });

  test("is reached by the command line as one on this machine", async () => {
    const status = JSON.parse((await stagecraft("status", "dev", "--json")).stdout) as unknown;
    expect(status).toMatchObject({
      servers: [
        {
          stack: "dev",
          host: engine.host(),
          faults: [],
          addresses: [`127.0.0.1:${project.port("dev")}`],
          observation: { databases: [{ name: "timesheets" }] },
        },
      ],
    });
    const sql = ["--", "-XAtqc", "SELECT sum(id) FROM a"];
    expect((await stagecraft("psql", "dev", ...sql)).stdout).toBe("3");
    expect((await stagecraft("log", "dev", "--list")).stdout).toContain("restore");
  });

  test("is reached from this machine by the tunnel that the stack names", async () => {
    const [program = "", ...args] = (await project.output("dev", "tunnel")).split(" ");
    const port = String(project.port("dev"));
    expect([program, ...args]).toEqual([
      "ssh",
      "-N",
      "-L",
      `${port}:127.0.0.1:${port}`,
      engine.host(),
    ]);
    const tunnel = processOfTest(execa(program, args, { reject: false }));
    try {
      expect(await login(project.passwords.application)).toBe("timesheets");
    } finally {
      tunnel.kill();
      await tunnel;
    }
  });

  test("comes back with its data when somebody removed a container", async () => {
    await psql("CREATE TABLE made_here AS SELECT 42 AS answer");
    const { agent } = project.names("dev");
    await engine.docker("rm", "--force", agent);
    expect((await project.preview("dev")).text).toContain(
      `${agent} is missing; it will be recreated`,
    );
    expect(await project.up("dev")).toMatchObject({ exitCode: 0 });
    expect(await psql("SELECT answer FROM made_here")).toBe("42");
    expect(await project.up("dev", "--expect-no-changes")).toMatchObject({ exitCode: 0 });
  });

  test("goes to this machine when its host does, and leaves nothing there", async () => {
    project.reconfigure("dev", settings("local"));
    expect(await project.up("dev")).toMatchObject({ exitCode: 0 });
    expect(await project.psql("dev", "SELECT count(*) FROM a")).toBe("3");
    expect(await engine.everything()).toEqual([]);
    project.reconfigure("dev", settings(engine.host()));
    expect(await project.up("dev")).toMatchObject({ exitCode: 0 });
    expect(await project.leftovers("ps")).toEqual([]);
  });

  test("is not taken from this one when it is production, and nothing is touched", async () => {
    await project.makeStack("prod", settings("local"));
    expect(await project.up("prod")).toMatchObject({ exitCode: 0 });
    const before = await engine.everything();
    project.reconfigure("prod", settings(engine.host()));
    const { exitCode, stderr } = await stagecraft("up", "prod");
    expect(exitCode).toBe(2);
    expect(stderr).toBe(
      "error: the data of prod is protected, and this change would replace prod-data: nothing was changed\n" +
        "  fix  undo the change of host or namePrefix in Pulumi.prod.yaml",
    );
    expect(await engine.everything()).toEqual(before);
    project.reconfigure("prod", settings("local"));
    expect(await project.up("prod")).toMatchObject({ exitCode: 0 });
    expect(await project.psql("prod", "SELECT count(*) FROM a")).toBe("3");
    expect(await project.up("prod", "--expect-no-changes")).toMatchObject({ exitCode: 0 });
  });

  test("is gone with its data after down --data, and production here is not", async () => {
    expect(await stagecraft("down", "dev", "--data", "--yes")).toMatchObject({ exitCode: 0 });
    expect(await engine.everything()).toEqual([]);
    const { agent, postgres, scratch } = project.names("prod");
    expect(await project.leftovers("ps")).toEqual([agent, postgres, scratch]);
  });

  test("whose machine is gone for good is made elsewhere once Pulumi has forgotten it", async () => {
    project.reconfigure("dev", settings(engine.host()));
    expect(await project.up("dev")).toMatchObject({ exitCode: 0 });
    await engine.lose();
    const forget = ["state", "delete", "--all", "--force", "--yes", "-s", "dev"];
    expect(await project.pulumi(...forget)).toMatchObject({ exitCode: 0 });
    project.reconfigure("dev", settings("local"));
    expect(await project.up("dev")).toMatchObject({ exitCode: 0 });
    expect(await project.psql("dev", "SELECT count(*) FROM a")).toBe("3");
    expect(await project.up("dev", "--expect-no-changes")).toMatchObject({ exitCode: 0 });
  });
});

async function stagecraft(...args: readonly string[]) {
  const env = { ...project.environment, STAGECRAFT_DEBUG: "1" };
  const options = { cwd: project.folder, env, reject: false } as const;
  return processOfTest(execa(process.execPath, [bin, ...args], options));
}

/** What PostgreSQL's superuser reads, on the machine itself. */
async function psql(sql: string): Promise<string> {
  return (await engine.psql(project.names("dev").postgres, sql)).all.trim();
}

/** Who one is when one logs in from this machine; waits until somebody listens. */
async function login(password: string): Promise<string> {
  return until("somebody listens", async () => {
    const client = new Client({
      ...{ host: "127.0.0.1", port: project.port("dev"), user: "timesheets", password },
      database: "timesheets",
    });
    try {
      await client.connect();
      const { rows } = await client.query<{ user: string }>("SELECT current_user AS user");
      return rows[0]?.user ?? "nobody";
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ECONNREFUSED") throw error;
      return undefined;
    } finally {
      await client.end();
    }
  });
}

/** That neither engine has anything of the project. */
async function expectNothing(): Promise<void> {
  expect(await engine.everything()).toEqual([]);
  for (const kind of ["ps", "network", "volume"] as const) {
    expect(await project.leftovers(kind)).toEqual([]);
  }
}
