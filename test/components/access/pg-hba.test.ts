import * as pulumi from "@pulumi/pulumi";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import {
  presets,
  ProductionServer,
  type PgHbaChoice,
  type PgHbaRule,
  type TlsArgs,
} from "../../../components";
import type { People } from "../../../model/roles/people";
import { sha256 } from "../../../components/engine/digest";
import type { Observation } from "../../../model/observation/observation";
import type { PgHbaObservation } from "../../../model/pg-hba/rule/protocol";
import { renderMaps } from "../../../model/pg-hba/text/maps";
import { parsePgHba } from "../../../model/pg-hba/text/parse";
import { renderManagedFile } from "../../../model/pg-hba/text/managed-file";
import { register } from "../../support/components/mocks";
import { mockObservedServer, observation } from "../../support/components/server-observation";

const source = { name: "timesheets.sql", sha256: "a".repeat(64) };

const production =
  (pgHba: PgHbaChoice, tls: TlsArgs = {}, people: People = {}) =>
  () =>
    new ProductionServer("prod", {
      ...{ postgres: { port: 15434 }, pgHba, tls, people },
      database: { name: "timesheets", recoverFrom: { path: "x", isFolder: false, source } },
      passwords: {
        ...{ application: "the first", readonly: "the second", monitor: "the third" },
        ada: "the fourth",
      },
    });

/** What the agent sees: these rules in place, put in force as the second generation. */
function see(text: string | undefined, more: Partial<PgHbaObservation> = {}): void {
  const seen: Observation | undefined =
    text === undefined
      ? undefined
      : {
          ...observation({ sha256: source.sha256, restoreId: "x" }),
          pgHba: { text, sha256: sha256(text), ...more },
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
    maps: renderMaps([], sha256),
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

test("rules that PostgreSQL has not read since the file was changed are applied again", async () => {
  see(file, { loaded: false });
  expect((await command(choice))["environment"]).toMatchObject({ GENERATION: "3" });
  expect(vi.mocked(pulumi.log.warn).mock.calls.map(([text]) => text)).toEqual([
    "PostgreSQL of prod has not read pg_hba.conf since the file was changed, and may use other rules; the next up reloads it",
  ]);
});

test("user name maps are compared line by line", async () => {
  const maps = ["people ada.lovelace ada"];
  see(file, { maps: "# a comment\npeople  mallory  ada\n" });
  const changed = await command({ ...choice, maps });
  expect(changed["environment"]).toMatchObject({ GENERATION: "3" });
  expect(JSON.parse(changed["stdin"] as string)).toMatchObject({ maps: renderMaps(maps, sha256) });
  expect(vi.mocked(pulumi.log.warn).mock.calls.map(([text]) => text)).toEqual([
    'pg_ident.conf of prod differs from pgHba.maps; up removes "people  mallory  ada", adds "people  ada.lovelace  ada"',
  ]);
  see(file, { maps: renderMaps(maps, sha256) });
  expect((await command({ ...choice, maps }))["environment"]).toMatchObject({ GENERATION: "2" });
});

test("rules with cert need the CA of clients", async () => {
  see(file);
  const { rules: found } = parsePgHba("hostssl timesheets ada 10.10.0.0/24 cert map=people");
  const pgHba = { ...choice, rules: [...rules, ...found], maps: ["people ada.lovelace ada"] };
  await expect(register(production(pgHba))).rejects.toThrow(
    /cert map=people: nobody can connect by it, because PostgreSQL has no CA to verify client certificates with; set tls\.clientCa/,
  );
  const { resources } = await register(
    production(pgHba, { clientCa: "-----BEGIN CERTIFICATE-----" }),
  );
  expect(resources.find(({ name }) => name === "prod-tls")?.inputs["stdin"]).toContain("clientCa");
});

test("the table has the users, and the networks of rules that are gone", async () => {
  const lines = [
    "hostssl timesheets timesheets_readonly 192.0.2.0/24 scram-sha-256",
    "hostssl timesheets +stagecraft_dbadmin 198.51.100.0 255.255.255.0 scram-sha-256",
  ];
  see(renderManagedFile([...rules, ...parsePgHba(lines.join("\n")).rules], sha256));
  await register(production(choice, undefined, { ada: "DbAdmin" }));
  const told = vi
    .mocked(pulumi.log.info)
    .mock.calls.map(([text]) => text)
    .join("\n");
  expect(told).toMatch(/timesheets \(ada, DbAdmin\)/);
  expect(told).toContain(
    "ada, DbAdmin may change everything in timesheets after SET ROLE timesheets_owner and read statistics",
  );
  expect(told).toContain("▼ loses access: readonly from 192.0.2.0/24, ada from 198.51.100.0/24");
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
