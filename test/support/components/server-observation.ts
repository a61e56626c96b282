import { vi } from "vitest";
import { observeServer, type ObservedState } from "../../../components/engine/server-state";
import { quietServer } from "../servers/observation";
import type { Observation } from "../../../model/observation/observation";

/** What an agent sees after three restores: the database with these contents, or no database. */
export function observation(
  contents: { sha256: string; restoreId: string } | undefined,
): Observation {
  const database = contents && {
    name: "timesheets",
    owner: "timesheets",
    encoding: "UTF8",
    locale: "C.UTF-8",
    bytes: 1,
    connections: 0,
    stamp: {
      server: "dev",
      restoreId: contents.restoreId,
      source: { name: "timesheets.sql", sha256: contents.sha256 },
      outcome: "passed" as const,
      restoredAt: "2026-11-22T09:14:00.000Z",
    },
  };
  return {
    server: "dev",
    agentVersion: "0.1.0",
    postgresVersion: "17.11",
    systemIdentifier: "1",
    generation: 3,
    databases: database ? [database] : [],
    freeBytes: 1,
    lastRestore: null,
    ...quietServer,
  };
}

/** Lets the components find this on the engine: a server whose agent reports the observation, or no server. */
export function mockObservedServer(
  observation: Observation | undefined,
  more: Partial<ObservedState> = {},
): void {
  vi.mocked(observeServer).mockResolvedValue({
    createdAt: { network: "then", postgres: "then", agent: "then", scratch: "then" },
    faults: [],
    observation,
    ...more,
  });
}
