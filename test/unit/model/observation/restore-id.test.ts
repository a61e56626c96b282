import { quietServer } from "../../../support/servers/observation";
import { describe, expect, test } from "vitest";
import type { Observation } from "../../../../model/observation/observation";
import { restoreIdFor } from "../../../../model/observation/restore-id";

describe("the id of a restore", () => {
  const source = { name: "x.sql", sha256: "ab".repeat(32) };
  const stamp = {
    server: "dev",
    restoreId: "abababababab-3",
    source,
    outcome: "passed" as const,
    restoredAt: "2026-11-22T00:00:00Z",
  };
  const observe = (sha256: string): Observation => ({
    server: "dev",
    agentVersion: "0.1.0",
    postgresVersion: "17.1",
    systemIdentifier: "1",
    generation: 3,
    databases: [
      {
        name: "a",
        owner: "a",
        encoding: "UTF8",
        locale: "C",
        bytes: 0,
        connections: 0,
        stamp: { ...stamp, source: { ...source, sha256 } },
      },
    ],
    freeBytes: 0,
    lastRestore: null,
    ...quietServer,
  });

  test("stays while the database has the wanted contents", () => {
    expect(restoreIdFor("a", source, observe(source.sha256), "replace")).toBe("abababababab-3");
  });

  test("is new for other contents and for a server that is not there yet", () => {
    expect(restoreIdFor("a", source, observe("cd".repeat(32)), "replace")).toBe("abababababab-4");
    expect(restoreIdFor("a", source, undefined, "replace")).toBe("abababababab-1");
  });

  test("says that the database is missing", () => {
    expect(restoreIdFor("b", source, observe(source.sha256), "replace")).toBe(
      "abababababab-4-missing",
    );
  });

  test("stays on production whatever the contents are", () => {
    expect(restoreIdFor("a", source, observe("cd".repeat(32)), "when missing")).toBe(
      "abababababab-3",
    );
  });
});
