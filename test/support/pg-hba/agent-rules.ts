import { execa } from "execa";
import { expect } from "vitest";
import {
  pgHbaResultSchema,
  type PgHbaResult,
  type RequiredConnection,
} from "../../../model/pg-hba/rule/protocol";
import { type CommandResult, type TestServer } from "../servers/server";
import { until } from "../time/until";

/** Where a server keeps its rules. */
export const hbaPath = "/var/lib/postgresql/data/pgdata/pg_hba.conf";

/** The rule by which the agent comes in; nothing works without. */
export const agentRule = "local all postgres peer";

/** Rules of a server, the agent's one above them. */
export function hba(...rules: readonly string[]): string {
  return [agentRule, ...rules, ""].join("\n");
}

/** Asks the agent to put rules in force. */
export async function requestHba(
  server: TestServer,
  text: string,
  required: readonly RequiredConnection[] = [],
): Promise<CommandResult> {
  return server.agent(["pg-hba"], { server: server.name, text, required });
}

/** The same, when it has to succeed. */
export async function applyHba(
  server: TestServer,
  text: string,
  required: readonly RequiredConnection[] = [],
): Promise<PgHbaResult> {
  const said = await requestHba(server, text, required);
  expect(said, said.stderr).toMatchObject({ status: 0 });
  return pgHbaResultSchema.parse(JSON.parse(said.stdout));
}

/** The rules in place. */
export async function readHba(server: TestServer): Promise<string> {
  return (await server.run(["cat", hbaPath])).stdout;
}

/** Files beside the rules: candidates, rules kept for a trial. */
export async function hbaFiles(server: TestServer): Promise<string[]> {
  const said = await server.run(["sh", "-c", `ls ${hbaPath}*`]);
  return said.stdout.trimEnd().split("\n");
}

/** When PostgreSQL read its files last, and since when it runs. */
export async function loadTimes(server: TestServer): Promise<{ loaded: string; started: string }> {
  const times = await server.sql(
    "postgres",
    "SELECT pg_conf_load_time(), pg_postmaster_start_time()",
  );
  const [loaded = "", started = ""] = times.split("|");
  return { loaded, started };
}

/** PostgreSQL's log. */
export async function postgresLog(server: TestServer): Promise<string> {
  return (await execa("docker", ["logs", server.postgres], { all: true })).all;
}

/** Does something that makes PostgreSQL log these words, and waits until it has. */
export async function untilLogged(
  server: TestServer,
  words: string,
  act: () => Promise<unknown>,
): Promise<void> {
  const { length } = await postgresLog(server);
  await act();
  const isLogged = async (): Promise<boolean> =>
    (await postgresLog(server)).slice(length).includes(words);
  await until(`"${words}" in PostgreSQL's log`, isLogged);
}
