import * as pulumi from "@pulumi/pulumi";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { presets, ProductionServer, type PgHbaChoice, type PgHbaRule } from "../../../components";
import { sha256 } from "../../../components/engine/digest";
import type { Observation } from "../../../model/observation/observation";
import { renderManagedFile } from "../../../model/pg-hba/text/managed-file";
import { register } from "../../support/components/mocks";
import { mockObservedServer, observation } from "../../support/components/server-observation";

const source = { name: "timesheets.sql", sha256: "a".repeat(64) };

const production = (pgHba: PgHbaChoice) => () =>
  new ProductionServer("prod", {
    postgres: { port: 15434 },
    pgHba,
    database: { name: "timesheets", recoverFrom: { path: "x", isFolder: false, source } },
    passwords: { application: "the first", readonly: "the second", monitor: "the third" },
  });

/** What the agent sees: these rules in place, put in force as the second generation. */
function see(text: string | undefined): void {
  const seen: Observation | undefined =
    text === undefined
      ? undefined
      : {
          ...observation({ sha256: source.sha256, restoreId: "x" }),
          pgHba: { text, sha256: sha256(text) },
          generations: { "pg-hba": 2 },
        };
  mockObservedServer(seen);
}

const rules = presets.production({ database: "timesheets", application: "10.10.0.0/24" });
const file = renderManagedFile(rules, sha256);
const choice: PgHbaChoice = { application: "10.10.0.0/24", rules };

async function command(pgHba: PgHbaChoice): Promise<Record<string, unknown>> {
  const { resources } = await register(production(pgHba));
  const found = resources.find(
    ({ name, type }) => name === "prod-pg-hba" && type === "command:local:Command",
  );
  expect(found?.dependsOn).toContain("prod-tls");
  return found?.inputs ?? {};
}

beforeEach(() => {
  vi.spyOn(pulumi.log, "info").mockResolvedValue();
  vi.spyOn(pulumi.log, "warn").mockResolvedValue();
});
afterEach(() => {
  vi.restoreAllMocks();
});

test("the rules reach the agent whole, with the connections it can try from its place", async () => {
  see(undefined);
  const { stdin, environment } = await command(choice);
  expect(JSON.parse(stdin as string)).toEqual({
    server: "prod",
    text: file,
    required: [
      {
        ...{ name: "the agent", user: "postgres", database: "postgres" },
        ...{ over: "socket", method: "peer" },
      },
      {
        ...{ name: "the agent's restricted logins", user: "stagecraft_session_0" },
        ...{ database: "timesheets", over: "socket", method: "scram-sha-256" },
      },
    ],
  });
  expect(environment).toMatchObject({ GENERATION: "1" });
});

test("rules that are in place change nothing and say nothing", async () => {
  see(file);
  expect((await command(choice))["environment"]).toMatchObject({ GENERATION: "2" });
  expect(vi.mocked(pulumi.log.info).mock.calls).toEqual([]);
  expect(vi.mocked(pulumi.log.warn).mock.calls).toEqual([]);
});

test("a change shows who gains access", async () => {
  see(file);
  const gained: PgHbaRule = {
    type: "hostssl",
    databases: ["timesheets"],
    users: ["timesheets"],
    address: "192.0.2.0/24",
    method: "scram-sha-256",
  };
  const { environment } = await command({ ...choice, rules: [...rules, gained] });
  expect(environment).toMatchObject({ GENERATION: "3" });
  const told = vi.mocked(pulumi.log.info).mock.calls.map(([text]) => text);
  expect(told.join("\n")).toContain("▲ gains access: app from 192.0.2.0/24");
  expect(vi.mocked(pulumi.log.warn).mock.calls).toEqual([]);
});

test("a file that was edited manually is reported and overwritten", async () => {
  see(`${file}host all all 0.0.0.0/0 trust\n`);
  expect((await command(choice))["environment"]).toMatchObject({ GENERATION: "3" });
  expect(vi.mocked(pulumi.log.warn).mock.calls.map(([text]) => text)).toEqual([
    "pg_hba.conf of prod was edited manually; the next up overwrites the change",
  ]);
});

test("trust for a network of production is refused before anything is made", async () => {
  see(file);
  const open: PgHbaRule = {
    type: "host",
    databases: ["all"],
    users: ["all"],
    address: "10.10.0.0/24",
    method: "trust",
  };
  await expect(register(production({ ...choice, rules: [...rules, open] }))).rejects.toThrow(
    /PgHba "prod-pg-hba": host all all 10\.10\.0\.0\/24 trust: a production server must not trust a network; /,
  );
});

test("rules that lock the application out are refused", async () => {
  see(file);
  const [agentRule] = rules;
  await expect(register(production({ rules: agentRule ? [agentRule] : [] }))).rejects.toThrow(
    'PgHba "prod-pg-hba": the application (timesheets to timesheets from samenet with TLS) is locked out: no rule matches; add "hostssl timesheets timesheets samenet scram-sha-256"',
  );
});
