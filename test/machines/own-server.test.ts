import { execa } from "execa";
import { randomBytes } from "node:crypto";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { stringify } from "yaml";
import { useOwnMachine } from "../support/engines/own-machine";
import { smallDump, useProject, type Said } from "../support/stacks/project";

const machine = useOwnMachine();
const project = useProject();
const folder = join(project.folder, "examples/own-server");

const boss = "stagecraft";
const passwords = { ...project.passwords, superuser: randomBytes(9).toString("base64url") };
const applications = { application: "samenet" };
const hbaFile = "/etc/postgresql/17/main/pg_hba.conf";

/** What the stack says, when nothing is wrong with it. */
let settings: Readonly<Record<string, unknown>>;
let hostKey = "";
let rulesBefore = "";
let startedAt = "";

beforeAll(async () => {
  const ca = await machine.startPostgres(boss, passwords.superuser);
  writeFileSync(join(folder, "ca.pem"), ca);
  writeFileSync(join(folder, "key"), machine.privateKey);
  chmodSync(join(folder, "key"), 0o600);
  writeFileSync(join(folder, "a.sql"), smallDump("a", 3));
  hostKey = await machine.hostKey();
  rulesBefore = (await machine.as("root", `cat ${hbaFile}`)).stdout;
  startedAt = await machine.psql("SELECT pg_postmaster_start_time()");
  settings = {
    ...{ namePrefix: project.prefix, kind: "staging", superuser: boss, tls: { ca: "ca.pem" } },
    address: { host: machine.address, port: machine.ports.current },
    database: { name: "timesheets", dump: "a.sql" },
    pgHba: applications,
    ssh: { host: "127.0.0.1", port: machine.sshPort, user: "postgres", hostKey, key: "key" },
  };
  await pulumi("stack", "init", "own", "--no-select");
  await configure({});
});
afterAll(async () => {
  await pulumi("destroy", "--yes", "--skip-preview", "--stack", "own");
});

describe("before anything is touched", () => {
  test("a server of a version that is not supported is refused", async () => {
    await machine.startOldPostgres(boss, passwords.superuser);
    await configure({
      address: { host: machine.address, port: machine.ports.old },
      tls: { mode: "disable" },
    });
    const { exitCode, text } = await up();
    expect(exitCode).not.toBe(0);
    expect(text).toContain(
      `PostgreSQL at ${machine.address}:${machine.ports.old} is version 15; Stagecraft needs 16 to 18`,
    );
    expect(await roles(5433)).toEqual([boss]);
  });

  test("a server whose certificate another authority has signed is refused", async () => {
    await configure({ tls: {} });
    const { exitCode, text } = await up();
    expect(exitCode).not.toBe(0);
    expect(text).toContain("shows a certificate that tls.ca did not sign");
  });

  test("a machine that shows another key than the pinned one is refused, with the rules as they were", async () => {
    const other = hostKey.replace(/.{20}=$/, "AAAAAAAAAAAAAAAAAAAA=");
    await configure({ ssh: { ...(settings["ssh"] as object), hostKey: other } });
    const { exitCode, text } = await up();
    expect(exitCode).not.toBe(0);
    expect(text).toContain("ssh: host key mismatch");
    await expectFormerRules();
  });

  test("a machine that cannot be reached by SSH is told of after three more tries, with the rules as they were", async () => {
    await configure({ ssh: { ...(settings["ssh"] as object), port: 1 } });
    const { exitCode, text } = await up();
    expect(exitCode).not.toBe(0);
    expect(text).toContain("after 3 failed attempts: dial tcp 127.0.0.1:1");
    await expectFormerRules();
  });

  test("a user who may not write the file is told of, with the rules as they were", async () => {
    await configure({ ssh: { ...(settings["ssh"] as object), user: "guest" } });
    const { exitCode, text } = await up();
    expect(exitCode).not.toBe(0);
    expect(text).toContain(`guest may not change ${hbaFile}; log in as postgres or root: ssh.user`);
    await expectFormerRules();
  });
});

describe("a PostgreSQL that Debian has installed", () => {
  test("gets its roles, its database and its rules, which come to the file that it reads", async () => {
    await configure({});
    const { exitCode, text } = await up();
    expect(text).not.toContain("error:");
    expect(exitCode).toBe(0);
    expect(await machine.psql("SHOW hba_file")).toBe(hbaFile);
    expect(await rules()).toBe(`${await output("pgHba")}\n`);
    expect(await rules()).toMatch(/^# Made by Stagecraft/);
    expect(await output("verdict")).toMatch(/^timesheets ← a\.sql +passed/);
    expect(await roles(5432)).toEqual([
      ...["postgres", boss, "stagecraft_monitor", "timesheets", "timesheets_owner"],
      "timesheets_readonly",
    ]);
  });

  test("lets the application in with its password, and no superuser but the agent's", async () => {
    const { application } = project.passwords;
    expect(await login("timesheets", application)).toBe("3");
    await expect(login("timesheets", "another password")).rejects.toThrow("authentication failed");
    await machine.psql("ALTER ROLE postgres PASSWORD 'a password'");
    await expect(login("postgres", "a password")).rejects.toThrow("pg_hba.conf rejects");
    await machine.psql("ALTER ROLE postgres PASSWORD NULL");
  });

  test("keeps its own file for good beside the new one, with owner and mode, and nothing of the trial", async () => {
    const stat = `cd ${hbaFile.replace("/pg_hba.conf", "")} && stat -c '%n %U %a' pg_hba.conf*`;
    expect((await machine.as("root", stat)).stdout).toBe(
      "pg_hba.conf postgres 640\npg_hba.conf.before-stagecraft postgres 640",
    );
    expect((await machine.as("root", `cat ${hbaFile}.before-stagecraft`)).stdout).toBe(rulesBefore);
  });

  test("does not change by a second up", async () => {
    expect(await up("--expect-no-changes")).toMatchObject({ exitCode: 0 });
    const { exitCode, text } = await pulumi("preview", "--expect-no-changes", "--stack", "own");
    expect(exitCode, text).toBe(0);
    expect(text).not.toMatch(/warning|edited by hand/);
  });

  test("tells in the preview of an edit by hand, and up takes it back", async () => {
    const wanted = await rules();
    await machine.as("postgres", `echo 'host all all all trust' >> ${hbaFile}`);
    const { text } = await pulumi("preview", "--stack", "own");
    expect(text).toContain(
      "pg_hba.conf of own was edited manually; the next up overwrites the change",
    );
    expect(await up()).toMatchObject({ exitCode: 0 });
    expect(await rules()).toBe(wanted);
    expect(await up("--expect-no-changes")).toMatchObject({ exitCode: 0 });
  });

  test("has the rules from before when new ones lock the agent out, also those in force", async () => {
    const wanted = await rules();
    await configure({ pgHba: { ...applications, agent: "10.11.12.0/24" } });
    const { exitCode, text } = await up();
    expect(exitCode).not.toBe(0);
    expect(text).toContain("pgHba.agent");
    expect(await rules()).toBe(wanted);
    expect(await login("timesheets", project.passwords.application)).toBe("3");
    await configure({});
    expect(await up()).toMatchObject({ exitCode: 0 });
    expect(await rules()).toBe(wanted);
    expect(await up("--expect-no-changes")).toMatchObject({ exitCode: 0 });
  });

  test("is refreshed by another dump, like a server of ours", async () => {
    writeFileSync(join(folder, "b.sql"), smallDump("a", 5));
    await configure({ database: { name: "timesheets", dump: "b.sql" } });
    expect(await up()).toMatchObject({ exitCode: 0 });
    expect(await login("timesheets", project.passwords.application)).toBe("5");
  });

  test("was never restarted", async () => {
    expect(await machine.psql("SELECT pg_postmaster_start_time()")).toBe(startedAt);
  });

  test("leaves no password and no key in the state, nor in what docker shows", async () => {
    const state = await pulumi("stack", "export", "--stack", "own");
    const { agent } = project.names("own");
    const { stdout: container } = await execa("docker", ["inspect", agent]);
    const key = machine.privateKey.split("\n")[1] ?? "no key";
    for (const secret of [...Object.values(passwords), key]) {
      expect(state.text).not.toContain(secret);
      expect(container).not.toContain(secret);
    }
    expect(state.text).toContain("own-pg-hba-place");
  });

  test("keeps database and rules when the stack is destroyed", async () => {
    const { exitCode } = await pulumi("destroy", "--yes", "--skip-preview", "--stack", "own");
    expect(exitCode).toBe(0);
    expect(await login("timesheets", project.passwords.application)).toBe("5");
    expect(await rules()).toMatch(/^# Made by Stagecraft/);
    expect(await project.leftovers("ps")).toEqual([]);
  });
});

/** Runs Pulumi in the example. */
async function pulumi(...args: readonly string[]): Promise<Said> {
  return project.pulumi(...args, "--cwd", folder);
}

async function up(...options: readonly string[]): Promise<Said> {
  return pulumi("up", "--stack", "own", "--yes", "--skip-preview", ...options);
}

async function output(name: string): Promise<string> {
  return (await pulumi("stack", "output", name, "--stack", "own")).text.trim();
}

/** Writes the stack's settings, with some of them otherwise. */
async function configure(changes: Readonly<Record<string, unknown>>): Promise<void> {
  const all = Object.entries({ ...settings, ...changes });
  const config = Object.fromEntries(all.map(([key, value]) => [`own-server:${key}`, value]));
  writeFileSync(join(folder, "Pulumi.own.yaml"), stringify({ config }));
  const secrets = Object.entries(passwords).flatMap(([name, password]) => [
    ...["--secret", `passwords.${name}=${password}`],
  ]);
  const set = await pulumi("config", "set-all", "--path", ...secrets, "--stack", "own");
  expect(set.exitCode, set.text).toBe(0);
}

/** What pg_hba.conf says there. */
async function rules(): Promise<string> {
  return (await machine.as("postgres", `cat ${hbaFile}; echo x`)).stdout.replace(/x$/, "");
}

async function expectFormerRules(): Promise<void> {
  expect((await machine.as("postgres", `cat ${hbaFile}`)).stdout).toBe(rulesBefore);
}

/** The roles that PostgreSQL has not made for itself, there. */
async function roles(port: number): Promise<string[]> {
  const sql = `SELECT rolname FROM pg_roles WHERE rolname !~ '^pg_' ${port === 5433 ? "AND rolname <> 'postgres'" : ""} ORDER BY 1`;
  const at = port === 5433 ? "-h /tmp -p 5433" : "";
  const { stdout } = await machine.as("postgres", `psql ${at} -XAtq -v ON_ERROR_STOP=1`, sql);
  return stdout.split("\n");
}

/** Logs in from this machine; how many rows the table has. */
async function login(user: string, password: string): Promise<string> {
  const { port = 0 } = settings["address"] as { port?: number };
  const client = new Client({
    ...{ host: machine.address, port, user, password, database: "timesheets" },
    ssl: { rejectUnauthorized: false },
  });
  try {
    await client.connect();
    const { rows } = await client.query<{ count: string }>("SELECT count(*) FROM a");
    return rows[0]?.count ?? "";
  } finally {
    await client.end().catch(() => undefined);
  }
}
