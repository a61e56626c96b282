import { execa } from "execa";
import { describe, expect, test } from "vitest";
import type { ScratchAnswer } from "../../../agent/postgres/scratch/protocol";
import { runInAgent } from "../../support/programs/agent-function";
import { useServer } from "../../support/servers/server";
import { until } from "../../support/time/until";

const server = useServer();
const data = "/var/lib/postgresql/data/pgdata";
const functions = {
  askScratch: "agent/postgres/scratch/client.ts",
  withScratchServer: "agent/postgres/scratch/client.ts",
  withConnection: "agent/postgres/connect.ts",
};

const base64 = (text: string): string => Buffer.from(text).toString("base64");

/** The scratch container's answers to so many equal requests at once. */
async function ask(request: object, calls = 1): Promise<ScratchAnswer[]> {
  const all = `Promise.all(Array.from({ length: ${calls} }, () => askScratch(${JSON.stringify(request)})))`;
  const said = await runInAgent(server, functions, `console.log(JSON.stringify(await ${all}))`);
  expect(said.stderr).toBe("");
  return JSON.parse(said.stdout) as ScratchAnswer[];
}

const rules = (text: string): object => ({
  task: "check rules",
  file: `${data}/candidate`,
  files: { [`${data}/candidate`]: base64(text) },
});

/** Runs a shell script in the scratch container. */
async function inScratch(script: string): Promise<string> {
  return (await execa("docker", ["exec", server.scratch, "sh", "-c", script])).stdout;
}

/** How many clusters there are: that of trials is not deleted. */
const folders = async (): Promise<string> => inScratch("ls -d /var/lib/scratch/cluster-* | wc -l");

const clusters = async (): Promise<string> =>
  inScratch("ls -d /var/lib/scratch/cluster-*/postmaster.pid 2>/dev/null | wc -l");

describe("the scratch container", () => {
  test("has another user, no network, no rights, and no volume but its own, which the agent only reads", async () => {
    const format =
      '{{.HostConfig.NetworkMode}} {{range .Mounts}}{{.Destination}} {{end}}{{join .HostConfig.CapDrop ","}} {{.HostConfig.ReadonlyRootfs}}';
    const { stdout } = await execa("docker", ["inspect", "--format", format, server.scratch]);
    expect(stdout).toBe("none /var/lib/scratch ALL true");
    expect(await inScratch("id -u")).toBe("5434");
    expect((await server.run(["id", "-u"])).stdout).toBe("5432\n");
    const { stderr } = await server.run(["touch", "/var/lib/scratch/x"]);
    expect(stderr).toContain("Read-only file system");
    expect((await server.run(["ls", "/var/lib/scratch"])).status).not.toBe(0);
  });

  test("reads rules with the server's own version of PostgreSQL, several at once, and keeps nothing", async () => {
    const answers = await ask(rules("local all all peer\nhost all all nonsense md6\n"), 3);
    for (const { failure, stdout } of answers) {
      expect(failure).toBeNull();
      // COPY writes each backslash twice.
      expect(JSON.parse(stdout.replaceAll("\\\\", "\\"))).toMatchObject({
        rules: 2,
        rejected: [{ line_number: 2 }],
      });
    }
    expect(await inScratch(`ls -A /var/lib/postgresql/data`)).toBe("");
  });

  test("writes no file but those of the data folder", async () => {
    const planted = { [`${data}/../../x`]: base64("x"), [`${data}/candidate`]: base64("") };
    const request = { task: "check rules", file: `${data}/candidate`, files: planted };
    const said = await runInAgent(
      server,
      functions,
      `await askScratch(${JSON.stringify(request)}).catch((error) => console.log(error.message))`,
    );
    expect(said.stdout).toMatch(
      /cannot be used: .*pgdata\/\.\.\/\.\.\/x is not a file of PostgreSQL's data folder; run pulumi up again/,
    );
  });

  test("is where a program of a configuration file runs, not the agent's container", async () => {
    const file = `${data}/postgresql.conf`;
    const marker =
      "mkdir -p /tmp/reached; ls -A /var/lib/stagecraft /var/backups >/tmp/reached/seen; echo secret";
    const key = await inScratch(
      "openssl req -x509 -newkey rsa:2048 -subj /CN=x -keyout /tmp/k -out /tmp/c -days 2 -passout pass:secret 2>/dev/null; cat /tmp/k /tmp/c; rm /tmp/k /tmp/c",
    );
    const certificate = key.slice(key.indexOf("-----BEGIN CERTIFICATE"));
    const files = {
      [file]: base64(
        `ssl = on\nssl_cert_file = '${data}/c'\nssl_key_file = '${data}/k'\nssl_passphrase_command = '${marker}'\ninclude = 'more.conf'\n`,
      ),
      [`${data}/more.conf`]: base64("work_mem = '9MB'\n"),
      [`${data}/k`]: base64(`${key.slice(0, key.indexOf("-----BEGIN CERTIFICATE"))}\n`),
      [`${data}/c`]: base64(`${certificate}\n`),
    };
    const [answer] = await ask({ task: "try configuration", files, file });
    expect(answer, answer?.stderr).toMatchObject({ failure: null, started: true });
    expect(await inScratch("cat /tmp/reached/seen; rm -r /tmp/reached")).not.toMatch(/json|2026/);
    expect((await server.run(["ls", "/tmp/reached"])).status).not.toBe(0);
  });

  test("says why PostgreSQL does not start", async () => {
    const file = `${data}/postgresql.conf`;
    const files = { [file]: base64("work_mem = 'much'\n") };
    const [answer] = await ask({ task: "try configuration", files, file });
    expect(answer).toMatchObject({ failure: null, started: false });
    expect(answer?.stderr).toContain('invalid value for parameter "work_mem": "much"');
  });
});

describe("the scratch server", () => {
  const where = `withConnection("postgres", async (client) => (await client.query("SELECT current_setting('data_directory') AS d")).rows[0].d)`;

  test("is an empty one for the time of the work, shared by those who work at once", async () => {
    const use = `withScratchServer({ work_mem: "7MB" }, async () => ${where})`;
    const script = `console.log(JSON.stringify([...await Promise.all([${use}, ${use}]), await ${where}]))`;
    const said = await runInAgent(server, functions, script);
    const [one, other, real] = JSON.parse(said.stdout) as string[];
    expect(one).toMatch(/^\/var\/lib\/scratch\/cluster-/);
    expect(other).toBe(one);
    expect(real).toBe(data);
    await until("no server", async () => (await clusters()) === "0");
  });

  test("ends with an agent that is killed, and its data with it", async () => {
    const kill = `withScratchServer({}, async () => process.kill(process.pid, "SIGKILL"))`;
    expect((await runInAgent(server, functions, `await ${kill}`)).status).toBe(137);
    await until("no server", async () => (await clusters()) === "0");
    await until("no data", async () => (await folders()) === "1");
  });

  test("is started again after a crash", async () => {
    const crash = `withScratchServer({}, async () => { await ${where}; throw new Error("over"); }).catch(() => 0)`;
    await runInAgent(server, functions, `await ${crash}`);
    const said = await runInAgent(
      server,
      functions,
      `console.log(await withScratchServer({}, async () => ${where}))`,
    );
    expect(said.stdout).toMatch(/^\/var\/lib\/scratch\/cluster-/);
  });
});
