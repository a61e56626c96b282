import { expect, test } from "vitest";
import {
  couldConnect,
  databaseDifferences,
  missingHbaLines,
  parameterDifferences,
} from "../../../../model/restore/stored-settings";

const database = { name: "crm", owner: "crm_app", connectionLimit: 20, settings: [], acl: null };

test("parameters that the server has otherwise are named, and not where it is", () => {
  const settings = [
    { name: "work_mem", setting: "65536", unit: "kB", source: "configuration file" },
    { name: "port", setting: "5433", unit: null, source: "configuration file" },
    { name: "jit", setting: "off", unit: null, source: "configuration file" },
    { name: "pg_stat_statements.max", setting: "9", unit: null, source: "configuration file" },
  ];
  const present = [
    { name: "work_mem", setting: "4096", unit: "kB" },
    { name: "port", setting: "5432", unit: null },
    { name: "jit", setting: "off", unit: null },
  ];
  expect(parameterDifferences({ settings }, present)).toEqual([
    "work_mem was 65536 kB, and is 4096 kB",
    'pg_stat_statements.max was "9", and this server does not know it',
  ]);
});

test("of a database its owner, its limit and its parameters are compared", () => {
  const was = { ...database, settings: ["search_path=crm, public", "jit=off"] };
  const now = { name: "crm", owner: "crm_owner", connectionLimit: -1, settings: ["jit=off"] };
  expect(databaseDifferences({ databases: [was] }, now)).toEqual([
    "crm belonged to crm_app, and belongs to crm_owner",
    "crm had a connection limit of 20",
    "crm had the parameter search_path=crm, public",
  ]);
});

test("who could connect is read from the rights on the database", () => {
  const acl = ['"crm ""rw"""=c/crm_app', "reader=T/crm_app", "crm_app=CTc/crm_app"];
  expect(couldConnect({ databases: [database] }, "crm")).toBe("everyone");
  expect(couldConnect({ databases: [{ ...database, acl: ["=Tc/crm_app"] }] }, "crm")).toBe(
    "everyone",
  );
  expect(couldConnect({ databases: [{ ...database, acl }] }, "crm")).toEqual(
    new Set(["crm_app", 'crm "rw"']),
  );
});

test("lines of pg_hba.conf are compared without comments and spacing", () => {
  const stored =
    "# made then\nhost  crm  all 10.0.0.0/8   scram-sha-256 # crm\nlocal all all peer\n";
  expect(missingHbaLines(stored, "local\tall all peer\n")).toEqual([
    "host crm all 10.0.0.0/8 scram-sha-256",
  ]);
});
