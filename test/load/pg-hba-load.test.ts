import { beforeAll, expect, test } from "vitest";
import { pgHbaResultSchema, type RequiredConnection } from "../../model/pg-hba/rule/protocol";
import { hba, loadTimes, postgresLog } from "../support/pg-hba/agent-rules";
import { owner, useServer } from "../support/servers/server";
import { atMost, limit, minute } from "../support/time/limit.mjs";

const server = useServer();
const password = "of the application";
const changes = 100;

const application: RequiredConnection = {
  name: "application",
  user: owner,
  database: "bench",
  over: "plain",
  method: "scram-sha-256",
};

/** A request for rules that differ from all others and let the application in. */
function request(n: number): string {
  const rules = Array.from(
    { length: n % 7 },
    (_, i) => `host db${n} role${i} 10.0.${n}.${i}/32 md5`,
  );
  const text = hba(...rules, `hostssl all all all cert`, "host all all samenet scram-sha-256");
  return JSON.stringify({ server: server.name, text, required: [application] });
}

/** Asks the agent for one change after another, a request a line. */
const changeRules = `while IFS= read -r request; do
  printf '%s' "$request" | stagecraft-agent pg-hba || exit
done`;

/** One session from before the first change to after the last one. */
const stay = String.raw`
  SELECT pg_backend_pid() AS pid \gset
  \! touch /tmp/begun; until [ -e /tmp/changed ]; do sleep 0.2; done
  SELECT pg_backend_pid() = :pid;`;

async function pgbench(...args: readonly string[]) {
  const script = 'IFS= read -r PGPASSWORD; export PGPASSWORD; exec pgbench "$@" 2>&1';
  const options = ["-n", "-T", "8", "-h", server.postgres, "-U", owner, ...args, "bench"];
  return server.run(["bash", "-c", script, "-", ...options], Buffer.from(`${password}\n`));
}

beforeAll(async () => {
  await server.makeRoles({ database: owner, application: password });
  await server.createDatabase("bench", "");
  await server.output(["pgbench", "-i", "-q", "-U", "postgres", "bench"]);
  await server.sql("bench", `GRANT ALL ON ALL TABLES IN SCHEMA public TO ${owner}`);
});

test(
  `${changes} changes of the rules fail no transaction and end no session`,
  async () => {
    const before = await loadTimes(server);
    const logged = (await postgresLog(server)).length;
    const staying = server.sql("bench", stay);
    await server.run(["sh", "-c", "until [ -e /tmp/begun ]; do sleep 0.1; done"]);

    const requests = Array.from({ length: changes }, (_, n) => `${request(n)}\n`).join("");
    const state = { changing: true };
    const all = server
      .run(["sh", "-c", changeRules], Buffer.from(requests))
      .finally(() => (state.changing = false));
    const rounds: Promise<{ status: number; stdout: string }>[] = [];
    while (state.changing) {
      const round = [
        pgbench("-c", "3", "--rate", "100"),
        pgbench("-c", "2", "--rate", "10", "--connect"),
      ];
      rounds.push(...round);
      await Promise.all(round);
    }
    await server.run(["touch", "/tmp/changed"]);

    const { status, stdout, stderr } = await all;
    expect(status, stderr).toBe(0);
    const results = stdout
      .trimEnd()
      .split("\n")
      .map((line) => pgHbaResultSchema.parse(JSON.parse(line)));
    expect(results.map(({ changed }) => changed)).toEqual(Array(changes).fill(true));
    for (const round of await Promise.all(rounds)) {
      expect(round.status, round.stdout).toBe(0);
      expect(round.stdout).toMatch(/^number of failed transactions: 0 \(0\.000%\)$/m);
      expect(round.stdout).toMatch(/^number of transactions actually processed: [1-9]/m);
    }
    expect(await staying).toBe("t");
    const after = await loadTimes(server);
    expect(after.started).toBe(before.started);
    expect(after.loaded).not.toBe(before.loaded);
    const log = (await postgresLog(server)).slice(logged);
    expect(log.match(/received SIGHUP/g)).toHaveLength(changes);
    expect(log).not.toMatch(/FATAL|PANIC|was not reloaded/);
    const seconds = results.map((result) => result.seconds).sort((a, b) => a - b);
    expect(seconds[changes / 2]).toBeLessThan(atMost(3));
  },
  limit(60 * minute),
);
