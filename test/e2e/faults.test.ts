import { once } from "node:events";
import { createServer } from "node:net";
import { beforeAll, describe, expect, test } from "vitest";
import { ended, said, smallDump, useProject } from "../support/project";

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
      /error: Pulumi\.dev\.yaml has 3 problems\n +postgres\.port +must be a port from 1 to 65535, got 70000\n +postgres\.memroy +unknown setting; did you mean memory\?\n +data\.dump +there is no file nowhere\.sql/,
    );
    expect(text).not.toMatch(/ at .*\.(js|ts):/);
  });

  test("a password in plain text is refused", async () => {
    project.reconfigure("dev", { data: { dump: "a.sql" } });
    const set = ["config", "set", "--plaintext", "--path", "passwords.readonly", "not so secret"];
    await project.pulumi(...set, "--stack", "dev");
    const { exitCode, text } = await project.preview("dev");
    expect(exitCode).not.toBe(0);
    expect(text).toContain("passwords.readonly   must be a secret");
    expect(text).not.toContain("not so secret");
  });

  test("a port that is taken is named, with the key to change", async () => {
    project.reconfigure("dev", { data: { dump: "a.sql" } });
    const other = createServer().listen(project.port("dev"), "127.0.0.1");
    await once(other, "listening");
    try {
      const { exitCode, text } = await project.up("dev");
      expect(exitCode).not.toBe(0);
      expect(text).toContain(
        `postgres.port   ${project.port("dev")} is taken by another program on 127.0.0.1; stop it, or give another port`,
      );
      expect(await project.leftovers("network")).toEqual([]);
    } finally {
      other.close();
    }
  });

  test("an address that this machine does not have is named before anything is made", async () => {
    const postgres = { port: project.port("dev"), memory: "256 MB", address: "192.0.2.7" };
    project.reconfigure("dev", { data: { dump: "a.sql" }, postgres });
    const { exitCode, text } = await project.preview("dev");
    expect(exitCode).not.toBe(0);
    expect(text).toContain(
      "postgres.address   192.0.2.7 is not an address of this machine; give one that it has, or 0.0.0.0 for all",
    );
  });

  test("an engine that is down is named, with the fix", async () => {
    const dead = { DOCKER_HOST: "unix:///nowhere/docker.sock" };
    const { exitCode, text } = await ended(project.start(dead, ...up));
    expect(exitCode).not.toBe(0);
    expect(text).toContain(
      "the Docker engine at unix:///nowhere/docker.sock (DOCKER_HOST) does not answer",
    );
    expect(text).toContain("start it, or correct or unset DOCKER_HOST");
  });

  test("a wrong passphrase is told", async () => {
    const wrong = { PULUMI_CONFIG_PASSPHRASE: "another" };
    const { exitCode, text } = await ended(project.start(wrong, ...up));
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

describe("in the middle", () => {
  const slow = (): string =>
    project.writeDump("slow.sql", smallDump("slow", 5, "SELECT pg_catalog.pg_sleep(12);"));

  test("a second up at once is told that another is running, and harms nothing", async () => {
    project.reconfigure("dev", { data: { dump: slow() } });
    const first = project.start({}, ...up);
    await said(first, "restore …");
    const second = await project.up("dev");
    expect(second.exitCode).not.toBe(0);
    expect(second.text).toContain("currently locked");
    expect(second.text).toContain("pulumi cancel");
    expect(await ended(first)).toMatchObject({ exitCode: 0 });
    expect(await project.psql("dev", "SELECT count(*) FROM slow")).toBe("5");
  });

  test("an up that was killed leaves the live database, and the next one says what to run and finishes", async () => {
    const dump = project.writeDump(
      "next.sql",
      smallDump("next", 7, "SELECT pg_catalog.pg_sleep(12);"),
    );
    project.reconfigure("dev", { data: { dump } });
    const killed = project.start({}, ...up);
    await said(killed, "restore …");
    killed.kill("SIGKILL");
    await killed;
    expect(await project.psql("dev", "SELECT count(*) FROM slow")).toBe("5");
    const locked = await project.up("dev");
    expect(locked.exitCode).not.toBe(0);
    expect(locked.text).toContain("pulumi cancel");
    expect(await project.pulumi("cancel", "--yes", "--stack", "dev")).toMatchObject({
      exitCode: 0,
    });
    expect(await project.up("dev")).toMatchObject({ exitCode: 0 });
    expect(await project.psql("dev", "SELECT count(*) FROM next")).toBe("7");
    expect(
      await project.psql("dev", "SELECT datname FROM pg_database WHERE datname LIKE '%incoming'"),
    ).toBe("");
    expect(await project.up("dev", "--expect-no-changes")).toMatchObject({ exitCode: 0 });
  });
});
