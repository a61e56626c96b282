import type * as pulumi from "@pulumi/pulumi";
import { beforeEach, describe, expect, test } from "vitest";
import {
  Database,
  DevelopmentServer,
  ExternalPostgres,
  PostgresServer,
  ProductionServer,
  StagingServer,
  type Dump,
} from "../../../components";
import { register, type Registered } from "../../support/components/mocks";
import { mockObservedServer } from "../../support/components/server-observation";

const dump: Dump = {
  path: "dumps/timesheets.sql",
  isFolder: false,
  source: { name: "timesheets.sql", sha256: "a".repeat(64) },
};
const passwords = {
  application: "keep this to yourself",
  readonly: "this as well",
  monitor: "and this one",
};
const postgres = { port: 15432, memory: "1 GB" };
const name = "timesheets";

type Made = (name: string, opts?: pulumi.ComponentResourceOptions, server?: string) => unknown;

const servers: Readonly<Record<string, Made>> = {
  DevelopmentServer: (resource, opts, server) =>
    new DevelopmentServer(
      resource,
      { server, postgres, passwords, database: { name, refreshFrom: dump } },
      opts,
    ),
  StagingServer: (resource, opts, server) =>
    new StagingServer(
      resource,
      { server, postgres, passwords, database: { name, refreshFrom: dump } },
      opts,
    ),
  ProductionServer: (resource, opts, server) =>
    new ProductionServer(
      resource,
      { server, postgres, passwords, database: { name, recoverFrom: dump } },
      opts,
    ),
  PostgresServer: (resource, opts, server) =>
    new PostgresServer(
      resource,
      { server, kind: "staging", postgres, roles: { database: name, passwords } },
      opts,
    ),
  ExternalPostgres: (resource, opts, server) =>
    new ExternalPostgres(
      resource,
      {
        server,
        kind: "staging",
        address: { host: "db.example.com" },
        superuser: { name: "stagecraft", password: "and the last one" },
        roles: { database: name, passwords },
      },
      opts,
    ),
};

beforeEach(() => {
  mockObservedServer(undefined);
});

describe.each(Object.entries(servers))("a renamed %s", (_, make) => {
  test("keeps its volumes and containers, and all that its agent is told, by its alias", async () => {
    const before = await register(() => make("main"));
    const after = await register(() => make("primary", { aliases: [{ name: "main" }] }));
    expect(withoutNames(after.resources)).toEqual(withoutNames(before.resources));
    // Children are found by the names that begin with that of their parent.
    expect(namesOf(after.resources)).toEqual(
      namesOf(before.resources).map((each) => each.replace(/^main\b/, "primary")),
    );
  });

  test("keeps them by the server's name when the alias is gone", async () => {
    const before = await register(() => make("main"));
    const after = await register(() => make("primary", {}, "main"));
    expect(withoutNames(after.resources)).toEqual(withoutNames(before.resources));
  });

  test("has to be told its name when aliases give several", async () => {
    const urn = "urn:pulumi:test::stagecraft::stagecraft:index:Any::first";
    const aliases = [{ name: "main" }, urn];
    await expect(register(() => make("primary", { aliases }))).rejects.toThrow(
      'primary": its aliases give it several earlier names (main, first); set server to the one that it has outside of Pulumi',
    );
  });
});

test("a renamed database stays the same database", async () => {
  const program =
    (resource: string, opts?: pulumi.ComponentResourceOptions, database?: string) => () => {
      const server = new PostgresServer("main", {
        ...{ kind: "staging", postgres, roles: { database: name, passwords } },
      });
      new Database(resource, { database, server, contents: dump, mode: "replace" }, opts);
    };
  const before = await register(program(name));
  const aliased = await register(program("contents", { aliases: [{ name }] }));
  const named = await register(program("contents", {}, name));
  for (const { resources } of [aliased, named])
    expect(withoutNames(resources)).toEqual(withoutNames(before.resources));
});

test("a server whose name Docker does not allow is rejected with the rule", async () => {
  await expect(register(() => servers["PostgresServer"]?.("my server"))).rejects.toThrow(
    'PostgresServer "my server".server must consist of letters, digits, "_", "." and "-", and begin with a letter or digit, got "my server"',
  );
});

/** What the engine and the agents get: types and inputs. */
function withoutNames(resources: readonly Registered[]): string[] {
  return resources
    .map(({ type, inputs, protect, retainOnDelete }) =>
      JSON.stringify([type, inputs, protect, retainOnDelete]).replace(
        /id-of-(?:main|primary)/g,
        "id-of",
      ),
    )
    .sort();
}

function namesOf(resources: readonly Registered[]): string[] {
  return resources.map((resource) => resource.name).sort();
}
