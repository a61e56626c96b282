import { beforeAll, expect, test } from "vitest";
import { createHash } from "node:crypto";
import { placeScript, settleScript } from "../../../components/access/remote-pg-hba";
import { externalRules } from "../../../model/pg-hba/judge/external-rules";
import { renderManagedFile } from "../../../model/pg-hba/text/managed-file";
import {
  hbaLocationSchema,
  hbaTrialSchema,
  type HbaTrial,
} from "../../../model/pg-hba/rule/protocol";
import { observationSchema } from "../../../model/observation/observation";
import { formatRule } from "../../../model/pg-hba/text/render";
import { rulesOnServer } from "../../../model/pg-hba/text/rules-on-server";
import type { PgHbaObservation } from "../../../model/pg-hba/rule/protocol";
import type { PgHbaRule } from "../../../model/pg-hba/rule/rule";
import { boss, useExternalServer } from "../../support/servers/external-server";
import type { CommandResult } from "../../support/servers/server";

const server = useExternalServer();

const before =
  "# somebody else's rules\nlocal all postgres peer\nhost all all samenet scram-sha-256\n";
const access = { superuser: boss, agent: "samenet", tls: true, database: "shop" } as const;
const rules = externalRules({ kind: "production", ...access, application: "0.0.0.0/0" });
const passwords = { application: "of the application", readonly: "of the reader" };

const rendered = (rules: readonly PgHbaRule[]): string =>
  renderManagedFile(rules, (text) => createHash("sha256").update(text).digest("hex"), "host");

const request = (text: string) => ({
  ...{ server: server.name, text },
  required: [
    {
      ...{ name: "the application", user: "shop", database: "shop" },
      ...{ over: "tls", method: "scram-sha-256" },
    },
  ],
});

let head = "";

async function observed(): Promise<PgHbaObservation> {
  const said = await server.agent(["observe"]);
  return observationSchema.parse(JSON.parse(said.stdout)).pgHba;
}

async function check(text: string): Promise<CommandResult> {
  return server.agent(["pg-hba-check"], request(text));
}

async function place(text: string): Promise<CommandResult> {
  return server.onItsMachine(["sh", "-c", placeScript], head + text);
}

async function tryRules(text: string): Promise<HbaTrial> {
  const said = await server.agent(["pg-hba-try"], request(text));
  expect(said.status, said.stderr).toBe(0);
  return hbaTrialSchema.parse(JSON.parse(said.stdout));
}

async function settle({ outcome, text }: HbaTrial): Promise<CommandResult> {
  return server.onItsMachine(["sh", "-c", settleScript], `${head}${outcome}\n${text}\n`);
}

/** All four steps, as the component makes them. */
async function apply(text: string): Promise<CommandResult> {
  const checked = await check(text);
  if (checked.status !== 0) return checked;
  const placed = await place(text);
  return placed.status === 0 ? settle(await tryRules(text)) : placed;
}

async function sh(script: string): Promise<string> {
  const said = await server.onItsMachine(["sh", "-c", `cd "$PGDATA" && ${script}`]);
  expect(said.stderr).toBe("");
  return said.stdout;
}

const files = 'ls | grep "^pg_hba"';

async function logIn(options: string): Promise<string> {
  const script = `IFS= read -r PGPASSWORD; export PGPASSWORD; exec psql -qAtX "host=db.example user=shop dbname=shop ${options}" -c "SELECT 1"`;
  const said = await server.run(["bash", "-c", script], Buffer.from(`${passwords.application}\n`));
  return (said.stdout + said.stderr).trim();
}

beforeAll(async () => {
  expect(await server.connectAgent()).toMatchObject({ status: 0 });
  expect(await server.makeRoles({ database: "shop", ...passwords })).toMatchObject({ status: 0 });
  await server.sql("postgres", "CREATE DATABASE shop OWNER shop_owner");
  const { hbaFile, dataDirectory } = hbaLocationSchema.parse(
    JSON.parse((await check(before)).stdout),
  );
  head = `${hbaFile}\n${dataDirectory}\n1\n`;
});

test("new rules come in force, and the file that others made is kept beside them", async () => {
  expect(await logIn("sslmode=disable")).toBe("1");
  await sh("chmod 640 pg_hba.conf");
  expect(await apply(rendered(rules))).toEqual({ status: 0, stdout: "", stderr: "" });
  expect(await sh("cat pg_hba.conf")).toBe(rendered(rules));
  expect(await sh("stat -c '%a %u' pg_hba.conf")).toBe("640 5432\n");
  expect(await sh(files)).toBe("pg_hba.conf\npg_hba.conf.before-stagecraft\n");
  expect(await sh("cat pg_hba.conf.before-stagecraft")).toBe(before);
  expect(await logIn("sslmode=disable")).toMatch(/no pg_hba\.conf entry .* no encryption$/);
  expect(await logIn("sslmode=require")).toBe("1");
});

test("applied again nothing is touched", async () => {
  const looks = "stat -c '%i %Y' pg_hba.conf";
  const was = await sh(looks);
  expect(await apply(rendered(rules))).toEqual({ status: 0, stdout: "", stderr: "" });
  expect(await sh(looks)).toBe(was);
  expect(await sh(files)).toBe("pg_hba.conf\npg_hba.conf.before-stagecraft\n");
});

test("rules that PostgreSQL refuses get nowhere near the machine", async () => {
  expect(await apply("local all all peer\nhost all all 10.0.0.0 scram-sha-256\n")).toEqual({
    status: 1,
    stdout: "",
    stderr: expect.stringMatching(
      /^pg_hba of \S+ was not changed: PostgreSQL rejects 1 line\n {2}line 2/,
    ) as string,
  });
  expect(await sh("cat pg_hba.conf")).toBe(rendered(rules));
});

test("rules that lock the agent out are taken back, and it is told", async () => {
  const text = rendered(rules.filter(({ users }) => !users[0]?.includes(boss)));
  const said = await apply(text);
  expect(said.status).toBe(1);
  expect(said.stderr).toMatch(
    new RegExp(
      `^pg_hba of ${server.name} was not changed: a required connection would be locked out
  the agent   the boss to postgres over TLS
    PostgreSQL at db\\.example:5432 rejects the boss: pg_hba\\.conf rejects connection .*
    fix: set pgHba\\.agent to the address from which the server sees the agent connect, so that a rule accepts it
The previous rules are active\\.`,
    ),
  );
  expect(await sh("cat pg_hba.conf")).toBe(rendered(rules));
  expect(await sh(files)).toBe("pg_hba.conf\npg_hba.conf.before-stagecraft\n");
  expect(await server.agent(["databases"])).toMatchObject({ status: 0, stderr: "" });
  expect(await logIn("sslmode=require")).toBe("1");
});

test("rules that treat the application otherwise than they say are taken back", async () => {
  const [local, agent, superusers, ...everybody] = rules;
  if (!local || !agent || !superusers) throw new Error("the preset has fewer rules");
  // Only PostgreSQL knows that the network of its machine is the agent's.
  const inTheWay: PgHbaRule = {
    ...{ type: "host", databases: ["shop"], users: ["shop"], address: "samenet" },
    method: "reject",
  };
  const said = await apply(rendered([local, agent, superusers, inTheWay, ...everybody]));
  expect(said.stderr).toContain("  the application   shop to shop over TLS\n");
  expect(said.stderr).toContain("pg_hba.conf rejects connection");
  expect(await logIn("sslmode=require")).toBe("1");
});

test("a change that was interrupted is taken back before the next one", async () => {
  expect(await place("local all all peer\n")).toMatchObject({ status: 0 });
  expect(await sh(files)).toContain("pg_hba.conf.proven");
  const said = await place(rendered(rules));
  expect(said).toEqual({
    status: 0,
    stdout: expect.stringMatching(/^\d{8}T\d{6}\.\d{9}Z\n$/) as string,
    stderr: "a change of the rules was interrupted; its rules are rolled back first\n",
  });
  expect(await sh(files)).toBe("pg_hba.conf\npg_hba.conf.before-stagecraft\n");
  expect(await sh("cat pg_hba.conf")).toBe(rendered(rules));
});

test("a file that somebody else put there meanwhile is not put in force", async () => {
  expect(await place(`${rendered(rules)}# more\n`)).toMatchObject({ status: 0 });
  expect(await tryRules(rendered(rules))).toEqual({
    outcome: "back",
    text: `pg_hba of ${server.name} was not changed: pg_hba.conf on the server differs from the new rules; check whether someone else has changed it\nThe previous rules are active.`,
  });
  await settle({ outcome: "back", text: "" });
  expect(await sh("cat pg_hba.conf")).toBe(rendered(rules));
});

test("a user who may not write the file is told which one may", async () => {
  const said = await server.onItsMachine(
    ["sh", "-c", placeScript],
    `/etc/hostname\n/nowhere\n1\nlocal all all peer\n`,
  );
  expect(said).toEqual({
    status: 1,
    stdout: "",
    stderr: "postgres may not change /etc/hostname; log in as postgres or root: ssh.user\n",
  });
});

test("the rules of files that it includes are seen, too", async () => {
  const app = "hostssl shop shop 192.168.0.0/16 scram-sha-256";
  await sh(`mkdir -p hba.d && echo "${app}" >hba.d/10-app.conf && echo "include more/again.conf" >hba.d/20-more.conf &&
    echo "host all @readers 192.0.2.0/24 md5" >hba.d/30-readers.conf && echo "shop_readonly, erin" >hba.d/readers &&
    echo nonsense >hba.d/notes.txt && mkdir -p hba.d/more && echo "local all erin peer" >hba.d/more/again.conf &&
    printf '%s\\n' "local all all trust" "include_dir hba.d" "include_if_exists missing.conf" >pg_hba.conf`);
  const seen = await observed();
  expect(rulesOnServer(seen, "17.5").map(formatRule)).toEqual([
    "local all all trust",
    app,
    "local all erin peer",
    "host all shop_readonly,erin 192.0.2.0/24 md5",
  ]);
  await sh(`rm -r hba.d`);
  expect(await apply(rendered(rules))).toMatchObject({ status: 0 });
  expect((await observed()).included).toBeUndefined();
});
