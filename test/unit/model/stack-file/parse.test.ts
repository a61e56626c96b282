import { describe, expect, test } from "vitest";
import { parseStackConfig, readRawConfig } from "../../../../model/stack-file/parse";
import { formatProblems } from "../../../../model/base/config-problem";

const passwords = { application: "long enough", readonly: "long enough", monitor: "long enough" };
const good = {
  postgres: { port: 15432 },
  database: { name: "timesheets" },
  data: { dump: "timesheets.sql" },
  passwords,
};

/** The problems of settings that differ from good ones in some sections. */
function problemsOf(changes: Record<string, unknown>): string[] {
  const { problems } = parseStackConfig("dev", { ...good, ...changes });
  return problems.map(({ path, text }) => `${path}: ${text}`);
}

describe("settings of a stack", () => {
  test("what is left out gets its default", () => {
    expect(parseStackConfig("dev", good)).toEqual({
      problems: [],
      missingPasswords: [],
      config: {
        namePrefix: "stagecraft",
        host: "local",
        postgres: { version: 17, port: 15432, address: "127.0.0.1", memory: "1 GB" },
        database: { name: "timesheets", roles: "leave out", keepPrevious: 1 },
        data: { dump: "timesheets.sql" },
        pgHba: {},
        tls: {},
        upgrades: { gaps: "refused" },
        backups: {},
        passwords,
      },
    });
  });

  test("contents may be off-site copies, from a machine that proves who it is", () => {
    const options = { host: "away", known_hosts: "away ssh-ed25519 AAAA" };
    const offsite = { remote: "sftp:backups", options, identity: "AGE-SECRET-KEY-1\n" };
    const data = { from: "offsite", backup: "20261121T032900Z", offsite };
    const read = parseStackConfig("staging", { ...good, data });
    expect(read.problems).toEqual([]);
    expect(read.config.data?.offsite).toEqual({
      ...{ ...offsite, server: "prod", identity: "AGE-SECRET-KEY-1" },
    });
    expect(problemsOf({ data: { ...data, offsite: { ...offsite, options: {} } } })).toEqual([
      expect.stringMatching(/^data\.offsite\.options\.known_hosts: is missing/),
    ]);
    expect(problemsOf({ data: { ...data, offsite: undefined } })).toEqual([
      "data.offsite: is missing; set remote, options, server and identity of the copies",
    ]);
    expect(problemsOf({ data: { ...data, from: "server:prod" } })).toEqual([
      "data.offsite: requires from: offsite; set that, or remove this section",
    ]);
  });

  test("production keeps everything, so there is nothing to say of it", () => {
    const database = { name: "timesheets", keep: ["testers"] };
    const { problems } = parseStackConfig("prod", { ...good, database });
    expect(problems).toEqual([
      {
        path: "database.keep",
        text: "is not allowed on production, whose contents are never replaced; remove it",
      },
    ]);
    expect(parseStackConfig("staging", { ...good, database }).problems).toEqual([]);
  });

  test("a setting is held against the container's memory, beside whatever else is wrong", () => {
    const settings = { sharedBuffers: "2 GB", workMem: "1 XB" };
    const postgres = { port: "x", settings };
    const { problems } = parseStackConfig("dev", { ...good, postgres });
    expect(problems.map(({ path }) => path)).toEqual([
      "postgres.port",
      "postgres.settings.workMem",
      "postgres.settings.sharedBuffers",
    ]);
    expect(problems.at(-1)?.text).toBe(
      "must be less than the container's memory of 1 GB, got 2 GB; increase postgres.memory or reduce this",
    );
    const roomy = { port: 15432, memory: "8 GB", settings: { sharedBuffers: "2 GB" } };
    expect(parseStackConfig("dev", { ...good, postgres: roomy }).problems).toEqual([]);
  });

  test("a backup of a folder is a source as well", () => {
    const data = { from: "dumps", backup: "20261121T032900Z" };
    expect(parseStackConfig("dev", { ...good, data }).config.data).toEqual(data);
  });

  test("all problems of a file are told at once, with a column of key paths", () => {
    const { problems } = parseStackConfig("dev", {
      databse: {},
      namePrefix: "X",
      postgres: { version: 16, port: "15432", memroy: "2 GB" },
      database: { name: "a__incoming", roles: "leaveout", encoding: "LATIN-11", locale: 5 },
      data: { dump: "a", from: "x", dmp: 1 },
      people: { ada: "DbAdmn", Bob: "Tester" },
      passwords: { ...passwords, readonly: "short", monitor: "", carl: "long enough" },
    });
    expect(formatProblems("Pulumi.dev.yaml", problems)).toBe(
      `Pulumi.dev.yaml has 16 problems
  databse              unknown key; did you mean database?
  namePrefix           must be up to 30 lowercase letters, digits and hyphens, starting with a letter, got "X"
  postgres.version     must be 17, got 16
  postgres.port        must be a number, got "15432"; remove the quotes
  postgres.memroy      unknown key; did you mean memory?
  database.name        must not end in "__incoming", which marks databases that Stagecraft creates, got "a__incoming"
  database.roles       must be "leave out" or "create without login", got "leaveout"; did you mean "leave out"?
  database.encoding    must be one of PostgreSQL's encodings, such as LATIN1, got "LATIN-11"
  database.locale      must be text, got 5; put it in quotes
  data.dmp             unknown key; did you mean dump?
  data                 defines two sources; keep either dump, or from and backup
  people.ada           must be "SysAdmin" or "DbAdmin" or "Developer" or "Tester" or "HelpDesk" or "CI", got "DbAdmn"; did you mean "DbAdmin"?
  people.Bob           must be up to 63 lowercase letters, digits, hyphens and underscores, starting with a letter, got "Bob"
  passwords.monitor    is missing; create one with: npm start -- dev   or: pulumi config set --secret --path passwords.monitor -s dev
  passwords.readonly   must have at least 8 characters; change it with: pulumi config set --secret --path passwords.readonly -s dev
  passwords.carl       belongs to no role; remove it with: pulumi config rm --path passwords.carl -s dev`,
    );
  });

  test("one problem is one problem", () => {
    expect(formatProblems("Pulumi.dev.yaml", [{ path: "data", text: "is odd" }])).toBe(
      "Pulumi.dev.yaml has 1 problem\n  data   is odd",
    );
  });

  test("an empty file lacks what is required", () => {
    expect(parseStackConfig("dev", {}).problems).toEqual([
      { path: "postgres.port", text: "is missing; for example port: 15432" },
      { path: "database.name", text: "is missing; for example name: timesheets" },
      {
        path: "data",
        text: "defines no source; set dump: <file>, or from: server:prod and backup: <id>",
      },
      ...["application", "readonly", "monitor"].map((name) => ({
        path: `passwords.${name}`,
        text: `is missing; create one with: npm start -- dev   or: pulumi config set --secret --path passwords.${name} -s dev`,
      })),
    ]);
  });

  test("a password is never shown", () => {
    for (const readonly of ["secret", "secret with a\nline break", 17, { secret: "secret with" }]) {
      const problems = problemsOf({ passwords: { ...passwords, readonly } });
      expect(problems).toEqual([expect.stringMatching(/^passwords\.readonly: must /)]);
      expect(problems.join()).not.toMatch(/secret with|17/);
    }
    expect(problemsOf({ passwords: "secret with" })).toEqual([
      "passwords: must be a section with a password for each role; set the first with: pulumi config set --secret --path passwords.application -s dev",
    ]);
  });

  test("the password of before is told what has become of it", () => {
    expect(problemsOf({ password: "secret with" })).toEqual([
      "password: was replaced by passwords, with one per role: create them with npm start -- dev; remove the old one with: pulumi config rm password -s dev",
    ]);
  });

  test("people with rights on the server have a password, the others need none", () => {
    const people = { ada: "DbAdmin", bob: "Developer", carl: "SysAdmin" };
    const raw = { ...good, people };
    expect(parseStackConfig("dev", raw).missingPasswords).toEqual(["ada", "bob"]);
    expect(parseStackConfig("prod", raw).missingPasswords).toEqual(["ada"]);
    const withPasswords = { ...passwords, ada: "long enough", bob: "long enough" };
    expect(parseStackConfig("prod", { ...raw, passwords: withPasswords }).config).toMatchObject({
      people,
      passwords: withPasswords,
    });
  });

  test.each([
    ["timesheets_owner", "must not be the name of one of the database's roles"],
    [
      "monitor",
      'must not be monitor, which is reserved for a role with its own password, got "monitor"',
    ],
    ["postgres", 'must not be postgres, the superuser, got "postgres"'],
    [
      "pg_ada",
      'must not begin with "pg_", which PostgreSQL reserves for its own roles, got "pg_ada"',
    ],
  ])("nobody is called %s", (name, problem) => {
    expect(problemsOf({ people: { [name]: "CI" } })).toEqual([`people.${name}: ${problem}`]);
  });

  test.each([
    [0, "must be a port from 1 to 65535, got 0"],
    [65_536, "must be a port from 1 to 65535, got 65536"],
    [1.5, "must be a whole number, got 1.5"],
    ["x", 'must be a number, got "x"'],
    [[1], "must be a number, got [1]"],
  ])("port %j", (port, problem) => {
    expect(problemsOf({ postgres: { port } })).toEqual([`postgres.port: ${problem}`]);
  });

  test.each(["localhost", "127.0.0.1:15432", "300.0.0.1", ""])("address %j", (address) => {
    expect(problemsOf({ postgres: { port: 1, address } })).toEqual([
      `postgres.address: must be an address of the host, or 0.0.0.0 for all, got ${JSON.stringify(address)}`,
    ]);
  });

  test.each([
    ["2 GiB", 'must be a size like "2 GB" or "512 MB", got "2 GiB"'],
    ["10 MB", 'must be at least "256 MB", got "10 MB"'],
    [5, 'must be a size like "2 GB" or "512 MB", got 5'],
  ])("memory %j", (memory, problem) => {
    expect(problemsOf({ postgres: { port: 1, memory } })).toEqual([`postgres.memory: ${problem}`]);
  });

  test.each([
    ["", 'must not be empty, got ""'],
    [
      "postgres",
      'must not be one of PostgreSQL\'s own databases (postgres, template0, template1), got "postgres"',
    ],
    [12, "must be text, got 12; put it in quotes"],
    [
      "pg_shop",
      'must not begin with "pg_", which PostgreSQL reserves for its own roles, got "pg_shop"',
    ],
    [
      "a__previous",
      'must not end in "__previous", which marks databases that Stagecraft creates, got "a__previous"',
    ],
  ])("database name %j", (name, problem) => {
    expect(problemsOf({ database: { name } })).toEqual([`database.name: ${problem}`]);
  });

  test.each(['with "quotes"', "with spaces", "Capitals", "a'; drop database b; --"])(
    "database name %j is fine",
    (name) => {
      expect(problemsOf({ database: { name } })).toEqual([]);
    },
  );

  test.each([
    [
      { backup: "20261121T032900Z" },
      "data.from: is missing; set the origin of the backup, e.g. from: server:prod",
    ],
    [
      { from: "dumps" },
      "data.backup: is missing; set the backup to restore, e.g. backup: 20261121T032900Z",
    ],
    [
      { from: "dumps", backup: "yesterday" },
      'data.backup: must be a backup id like 20261121T032900Z, got "yesterday"',
    ],
    [
      { from: "dumps", backup: "20261331T032900Z" },
      'data.backup: must be a backup id like 20261121T032900Z, got "20261331T032900Z"',
    ],
    [{ dump: "" }, 'data.dump: must be a path, got ""'],
    ["dump.sql", 'data: must be a section with lines of key: value, got "dump.sql"'],
  ])("data %j", (data, problem) => {
    expect(problemsOf({ data })).toEqual([problem]);
  });

  test("an unknown key that is like no other is told what there is", () => {
    expect(problemsOf({ postgres: { port: 1, colour: "blue" } })).toEqual([
      "postgres.colour: unknown key; valid keys are version, port, address, memory, settings",
    ]);
  });
});

test("Pulumi's configuration is read by sections, each of them JSON", () => {
  const config = {
    "stagecraft:postgres": '{"port":15432}',
    "stagecraft:namePrefix": "17",
    "stagecraft:passwords": '{"application":"12345678"}',
    "docker:host": "ssh://elsewhere",
  };
  expect(readRawConfig("stagecraft", config)).toEqual({
    postgres: { port: 15432 },
    namePrefix: "17",
    passwords: { application: "12345678" },
  });
});
