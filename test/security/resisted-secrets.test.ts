import { execa } from "execa";
import { beforeAll, describe, expect, test } from "vitest";
import { backUpWell } from "../support/backups/agent-backups";
import { verifyBackup } from "../support/backups/dumped-backup";
import { shopSql } from "../support/databases/shop";
import { docker, type TestRoles } from "../support/servers/server";
import { useStackServer } from "../support/servers/stack-server";

const passwords = {
  application: "s3cret of the application",
  readonly: "s3cret of the reader",
  monitor: "s3cret of the monitor",
};
const ada = "s3cret of ada";
const secrets = [...Object.values(passwords), ada];
const database = "shop";
const roles: TestRoles = {
  ...{ database, ...passwords },
  people: [{ name: "ada", role: "DbAdmin", password: ada }],
};
const server = useStackServer({ kind: "production", ...roles });

/** Folders of the five volumes, in the agent's container. */
const volumes = [
  "/var/lib/postgresql/data",
  "/run/postgresql",
  "/var/lib/stagecraft",
  "/var/backups/stagecraft",
  "/var/lib/pgbackrest",
];

/** Looks at all processes until it is told to stop: which programs it saw, and which had a secret in argv or environment. */
const watch = `cat > /tmp/secrets; rm -f /tmp/stop; touch /tmp/watching
until [ -e /tmp/stop ]; do
  for process in /proc/[0-9]*; do
    name=$(tr '\\0' ' ' < $process/cmdline) 2> /dev/null
    case $name in *pg_dump*) echo "saw pg_dump" ;; *pg_restore*) echo "saw pg_restore" ;; esac
    if cat $process/cmdline $process/environ 2> /dev/null | tr '\\0' '\\n' | grep -qF -f /tmp/secrets; then echo "found in $name"; fi
  done
done 2> /dev/null; rm /tmp/secrets /tmp/watching`;

/** What is seen of the programs in the agent's container while something is done. */
async function watched(work: () => Promise<unknown>): Promise<ReadonlySet<string>> {
  const watching = server.run(["bash", "-c", watch], Buffer.from(secrets.join("\n")));
  await server.output(["bash", "-c", "until [ -e /tmp/watching ]; do sleep 0.1; done"]);
  await work();
  await server.output(["touch", "/tmp/stop"]);
  return new Set((await watching).stdout.trim().split("\n"));
}

/** Files of the volumes that have one of the passwords in them. */
async function filesWithSecret(): Promise<string> {
  const { stdout } = await server.run(
    ["grep", "-rlF", "-f", "-", ...volumes],
    Buffer.from(secrets.join("\n")),
  );
  return stdout;
}

const wideSql = `CREATE TABLE public.wide AS SELECT n, md5(n::text) AS word FROM generate_series(1, 200000) n; CREATE INDEX ON public.wide (word);`;

beforeAll(async () => {
  await server.createDatabase("source", shopSql + wideSql);
});

describe("no password stands", () => {
  test("in argv or the environment of a program, while roles are applied, a dump is restored, backed up and verified", async () => {
    const dump = await server.dump("source", "-Fc");
    const seen = await watched(async () => {
      expect(await server.makeRoles(roles)).toMatchObject({ status: 0 });
      const { result } = await server.restore({ database, dump, mode: "when missing" });
      expect(result.result, result.text).toBe("restored");
      const { id } = await backUpWell(server);
      expect((await verifyBackup(server, id)).result?.verification?.result).toBe("passed");
    });
    expect(seen).toContain("saw pg_dump");
    expect(seen).toContain("saw pg_restore");
    expect([...seen].filter((line) => line.startsWith("found"))).toEqual([]);
  });

  test("in a program's argv without being found: the watch sees one", async () => {
    const seen = await watched(async () =>
      server.run(["bash", "-c", `sleep 3; : '${passwords.monitor}'`]),
    );
    expect([...seen].join("\n")).toContain("found in bash -c sleep 3");
  });

  test("in what docker shows of the containers and their logs, nor in what the agent answers", async () => {
    const { postgres, agentContainer } = server;
    const logs = async (container: string): Promise<string> =>
      (await execa("docker", ["logs", container], { all: true })).all;
    const texts = await Promise.all([
      docker(
        "inspect",
        postgres,
        agentContainer,
        ...["data", "agent"].map((name) => server.volume(name)),
      ),
      docker("top", postgres, "-eo", "pid,args"),
      ...[postgres, agentContainer].map(logs),
      ...["log", "report", "observe", "backups-at-hand"].map(
        async (verb) => (await server.agent([verb])).stdout,
      ),
    ]);
    for (const text of texts) {
      expect(text).not.toBe("");
      for (const secret of secrets) expect(text).not.toContain(secret);
    }
  });

  test("in a file of the five volumes, where one that did would be found", async () => {
    expect(await filesWithSecret()).toBe("");
    const planted = "/var/lib/stagecraft/planted";
    await server.output(["tee", planted], Buffer.from(`password: ${ada}\n`));
    expect(await filesWithSecret()).toBe(`${planted}\n`);
    await server.output(["rm", planted]);
  });
});

test("every file of the agent and of the backups is its user's alone", async () => {
  const others = ["find", "/var/lib/stagecraft", "/var/backups/stagecraft", "-type", "f"];
  expect((await server.output([...others, "-perm", "/077"])).toString()).toBe("");
  expect((await server.output([...others, "-perm", "0600"])).toString()).toContain("manifest.json");
});

test("the layers of the image and their history have no password", async () => {
  const image = await docker("inspect", "--format", "{{.Config.Image}}", server.postgres);
  const texts = [
    await docker("history", "--no-trunc", image),
    await docker("image", "inspect", image),
  ];
  for (const text of texts)
    expect(text).not.toMatch(/password|passphrase|BEGIN [A-Z ]*PRIVATE KEY/i);
});
