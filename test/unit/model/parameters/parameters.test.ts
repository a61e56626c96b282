import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { parametersOf } from "../../../../model/parameters/catalogue";
import { checkParameters } from "../../../../model/parameters/check";
import { camelCase, findParameter } from "../../../../model/parameters/names";
import { describeParametersPlan, planParameters } from "../../../../model/parameters/plan";
import { parametersRequestSchema } from "../../../../model/parameters/protocol";
import { renderParameters } from "../../../../model/parameters/render";
import { postgresParametersSchema } from "../../../../model/parameters/schema";
import type { PostgresParameters } from "../../../../model/parameters/typed-parameters";

const check = (parameters: Record<string, unknown>, memory?: number) =>
  checkParameters(parameters, { version: 17, memory });

/** What is wrong with a single parameter. */
const problemOf = (key: string, value: unknown): string | undefined =>
  check({ [key]: value }).problems[0]?.text;

test("parameters in either notation get PostgreSQL's own names and keep their text", () => {
  const parameters: PostgresParameters = {
    sharedBuffers: "1 GB",
    log_min_duration_statement: "250",
    maxConnections: 200,
    autovacuum: false,
    synchronous_commit: true,
    TimeZone: "Europe/Vienna",
    datestyle: "ISO, DMY",
    "auto_explain.log_min_duration": "1 s",
  };
  expect(check(parameters)).toEqual({
    problems: [],
    parameters: {
      shared_buffers: "1 GB",
      log_min_duration_statement: "250",
      max_connections: "200",
      autovacuum: "off",
      synchronous_commit: "on",
      TimeZone: "Europe/Vienna",
      DateStyle: "ISO, DMY",
      "auto_explain.log_min_duration": "1 s",
    },
  });
});

test("every setting of PostgreSQL is found by both of its names", () => {
  for (const { name } of parametersOf(17).values()) {
    expect(findParameter(name, 17)?.name).toBe(name);
    expect(findParameter(camelCase(name), 17)?.name).toBe(name);
  }
});

describe("a value", () => {
  test.each([
    ["workMem", "32 MB"],
    ["workMem", "32MB"],
    ["workMem", " 1.5 GB "],
    ["workMem", 4096],
    ["workMem", "0x1000"],
    ["statementTimeout", "90 min"],
    ["statementTimeout", "0"],
    ["statementTimeout", "1 d"],
    ["checkpointTimeout", "30 s"],
    ["logRotationAge", "1 h"],
    ["logMinDurationStatement", -1],
    ["vacuumCostDelay", "500 us"],
    ["randomPageCost", 1.1],
    ["cpuTupleCost", "1e-3"],
    ["jit", "false"],
    ["jit", "OF"],
    ["jit", "Yes"],
    ["walLevel", "LOGICAL"],
    ["walCompression", "zstd"],
    ["hugePages", "true"],
    ["defaultTransactionIsolation", "repeatable read"],
    ["searchPath", `"$user", public, 'odd'' \\ name'`],
    ["applicationName", ""],
    ["log_file_mode", "0640"],
    ["logFileMode", "0600"],
    ["randomPageCost", "01.5"],
  ])("%s: %j is fine", (key, value) => {
    expect(problemOf(key, value)).toBeUndefined();
  });

  test.each([
    ["workMem", "lots", 'must be a size like "32 MB", got "lots"'],
    ["workMem", "32 min", 'must be a size in B, kB, MB, GB or TB \(case-sensitive\), got "32 min"'],
    ["workMem", "32 mb", 'must be a size in B, kB, MB, GB or TB \(case-sensitive\), got "32 mb"'],
    ["workMem", "1 kB", 'must be from 64 kB to 2 TB, got "1 kB"'],
    // Octal, as in PostgreSQL.
    ["workMem", "010", 'must be from 64 kB to 2 TB, got "010"'],
    ["workMem", "089", 'must be a size like "32 MB", got "089"'],
    [
      "logFileMode",
      "01000",
      'must be an octal file mode in quotes, from "0000" to "0777", got "01000"',
    ],
    ["logFileMode", 640, 'must be an octal file mode in quotes, from "0000" to "0777", got 640'],
    ["sharedBuffers", "9 TB", 'must be from 128 kB to 8 TB, got "9 TB"'],
    ["sharedBuffers", "", 'must be a size like "32 MB", got ""'],
    ["walKeepSize", "-1 MB", 'must be from 0 to 2048 TB, got "-1 MB"'],
    ["statementTimeout", "soon", 'must be a time like "90 s", got "soon"'],
    ["statementTimeout", "5 MB", 'must be a time in us, ms, s, min, h or d, got "5 MB"'],
    ["checkpointTimeout", "1 s", 'must be from 30 s to 86400 s, got "1 s"'],
    ["maxConnections", 0, "must be from 1 to 262143, got 0"],
    ["maxConnections", "5 MB", 'must be a number without a unit, got "5 MB"'],
    ["maxConnections", "many", 'must be a whole number, got "many"'],
    ["maxConnections", true, "must be a whole number, got true"],
    ["randomPageCost", "cheap", 'must be a number, got "cheap"'],
    ["checkpointCompletionTarget", 1.1, "must be from 0 to 1, got 1.1"],
    ["jit", "maybe", 'must be on or off, got "maybe"'],
    ["jit", "o", 'must be on or off, got "o"'],
    [
      "walLevel",
      "logicl",
      'must be minimal, replica or logical, got "logicl"; did you mean logical?',
    ],
    ["walLevel", true, "must be minimal, replica or logical, got true"],
    ["searchPath", "a\0b", 'must not contain a zero byte, got "a\\u0000b"'],
    ["workMem", null, "must be text, a number, true or false, got null"],
    ["workMem", ["32 MB"], 'must be text, a number, true or false, got ["32 MB"]'],
    ["minWalSize", "20 MB", 'must be at least 32 MB, got "20 MB"'],
  ])("%s: %j is reported", (key, value, problem) => {
    expect(problemOf(key, value)).toBe(problem);
  });
});

describe("a setting", () => {
  test.each([
    ["sharedBufers", "unknown parameter; did you mean sharedBuffers?"],
    ["shared_bufers", "unknown parameter; did you mean shared_buffers?"],
    ["SharedBuffers", "unknown parameter; did you mean sharedBuffers?"],
    [
      "colour",
      "unknown parameter; see chapter 19 of PostgreSQL's manual (parameters of an extension have its name as a prefix, e.g. auto_explain.log_min_duration)",
    ],
    [
      "auto_explain.log min",
      "unknown parameter; see chapter 19 of PostgreSQL's manual (parameters of an extension have its name as a prefix, e.g. auto_explain.log_min_duration)",
    ],
    [
      "constructor",
      "unknown parameter; see chapter 19 of PostgreSQL's manual (parameters of an extension have its name as a prefix, e.g. auto_explain.log_min_duration)",
    ],
    [
      "data_directory",
      "is set by Stagecraft: PostgreSQL's files are in its data volume; leave it out",
    ],
    ["hbaFile", "is set by Stagecraft: the rules come from pgHba; leave it out"],
    ["listenAddresses", "is set by Stagecraft: it comes from postgres.port; leave it out"],
    ["archiveCommand", "is set by Stagecraft: it comes from backups.pointInTime; leave it out"],
    ["ssl", "is set by Stagecraft: certificates come from postgres.tls; leave it out"],
    [
      "sslMinProtocolVersion",
      "is set by Stagecraft: certificates come from postgres.tls; leave it out",
    ],
    [
      "PASSWORD_ENCRYPTION",
      "is set by Stagecraft: passwords are stored as SCRAM verifiers; leave it out",
    ],
    [
      "max_locks_per_transaction",
      "is set by Stagecraft: it is 256, because a restore locks every table at once; leave it out",
    ],
    [
      "stagecraft.server",
      "is set by Stagecraft: it stores the provenance of a database; leave it out",
    ],
    ["blockSize", "is read-only in PostgreSQL; leave it out"],
    ["checkpoint_segments", "cannot be set: removed in PostgreSQL 9.5; use max_wal_size"],
    [
      "transactionReadOnly",
      "cannot be set: it applies to one transaction; use default_transaction_read_only",
    ],
  ])("%s is refused with the reason", (key, problem) => {
    expect(problemOf(key, "1")).toBe(problem);
  });

  test("in two notations is one too many", () => {
    expect(check({ workMem: "8 MB", work_mem: "16 MB", TIMEZONE: "UTC", timeZone: "UTC" })).toEqual(
      {
        parameters: { work_mem: "8 MB", TimeZone: "UTC" },
        problems: [
          { path: "work_mem", text: "is the same parameter as workMem; remove one of them" },
          { path: "timeZone", text: "is the same parameter as TIMEZONE; remove one of them" },
        ],
      },
    );
  });

  test("of an extension is one too many in other capitals as well", () => {
    const { problems } = check({
      "auto_explain.log_level": "log",
      "Auto_Explain.log_level": "log",
    });
    expect(problems).toEqual([
      {
        path: "Auto_Explain.log_level",
        text: "is the same parameter as auto_explain.log_level; remove one of them",
      },
    ]);
  });
});

test("a cache that the container has no memory for is reported", () => {
  expect(check({ sharedBuffers: "2 GB" }, 2 ** 30).problems).toEqual([
    {
      path: "sharedBuffers",
      text: "must be less than the container's memory of 1 GB, got 2 GB; increase postgres.memory or reduce this",
    },
  ]);
  expect(check({ sharedBuffers: "512 MB" }, 2 ** 30).problems).toEqual([]);
});

test("all problems are reported together, with the keys as written", () => {
  const { error } = postgresParametersSchema.safeParse({ workMem: "1 kB", nonsense: 1, jit: true });
  expect(error?.issues.map(({ path, message }) => [path, message])).toEqual([
    [["workMem"], 'must be from 64 kB to 2 TB, got "1 kB"'],
    [
      ["nonsense"],
      "unknown parameter; see chapter 19 of PostgreSQL's manual (parameters of an extension have its name as a prefix, e.g. auto_explain.log_min_duration)",
    ],
  ]);
});

test("a request with a parameter that users may not set is rejected", () => {
  const request = { server: "dev", settings: { port: "1", work_mem: "8 MB" } };
  const { error } = parametersRequestSchema.safeParse(request);
  expect(error && z.prettifyError(error)).toBe(
    "✖ is set by Stagecraft: it comes from postgres.port; leave it out\n  → at settings.port",
  );
});

describe("the parameters file", () => {
  test("has a line for each, quoted, in the order of the names", () => {
    const parameters = {
      work_mem: "32 MB",
      log_line_prefix: "it's \\ here\nand there ",
      "auto_explain.log_min_duration": "1 s",
    };
    expect(renderParameters(parameters))
      .toBe(`# Written by Stagecraft. Change postgres.settings of the stack instead.
auto_explain.log_min_duration = '1 s'
log_line_prefix = 'it''s \\\\ here\\nand there '
work_mem = '32 MB'
`);
  });

  test("is the same for parameters in any order", () => {
    const values = fc.dictionary(fc.constantFrom("a", "b", "c", "d"), fc.string());
    fc.assert(
      fc.property(values, (parameters) => {
        const turned = Object.fromEntries(Object.entries(parameters).reverse());
        expect(renderParameters(turned)).toBe(renderParameters(parameters));
      }),
    );
  });

  test("never lets a value out of its quotes", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom("'", "\\", "\n", "\r", "#", "a", " ") }),
        (value) => {
          const [, line = "", rest] = renderParameters({ work_mem: value }).split("\n");
          expect(line).toMatch(/^work_mem = '(?:[^'\\]|''|\\[\\nr])*'$/);
          expect(rest).toBe("");
        },
      ),
    );
  });
});

describe("the plan of a change", () => {
  const plan = (before: Record<string, string>, after: Record<string, string>) =>
    planParameters(before, after, 17);

  test("tells what is reloaded and what needs a restart", () => {
    const change = plan(
      { shared_buffers: "1 GB", work_mem: "4 MB", jit: "off" },
      { shared_buffers: "2 GB", work_mem: "32 MB", log_connections: "on", max_connections: "50" },
    );
    expect(change).toEqual({
      reload: ["jit", "log_connections", "work_mem"],
      restart: ["max_connections", "shared_buffers"],
    });
    expect(describeParametersPlan(change)).toBe(
      "jit, log_connections and work_mem by a reload, no connection is closed; max_connections and shared_buffers by a restart, all connections are closed",
    );
    expect(describeParametersPlan(plan({}, { jit: "off" }))).toBe(
      "jit by a reload, no connection is closed",
    );
  });

  test.each([
    ["work_mem", "32 MB", "32768kB"],
    ["work_mem", "4096", "4MB"],
    ["shared_buffers", "131072", "1 GB"],
    ["statement_timeout", "90 s", "1.5 min"],
    ["random_page_cost", "1.10", "1.1"],
    ["jit", "off", "no"],
    ["wal_level", "Logical", "logical"],
    ["huge_pages", "true", "on"],
  ])("sees no change in %s from %s to %s", (name, before, after) => {
    const change = plan({ [name]: before }, { [name]: after });
    expect(change).toEqual({ reload: [], restart: [] });
    expect(describeParametersPlan(change)).toBeUndefined();
  });

  test("takes an extension's setting for one that is reloaded", () => {
    expect(plan({}, { "auto_explain.log_min_duration": "1 s" })).toEqual({
      reload: ["auto_explain.log_min_duration"],
      restart: [],
    });
  });
});
