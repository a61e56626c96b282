import { createHash } from "node:crypto";
import { beforeAll, expect } from "vitest";
import type { ServerKind } from "../../../model/base/names";
import { traceParameters } from "../../../model/parameters/trace-parameters";
import { requiredAccess, testableConnections } from "../../../model/pg-hba/judge/required-access";
import { presets } from "../../../model/pg-hba/rule/presets";
import { renderManagedFile } from "../../../model/pg-hba/text/managed-file";
import { applyHba } from "../pg-hba/agent-rules";
import { useServer, type TestRoles, type TestServer, type TestServerOptions } from "./server";

/** What a stack names for its server. */
export interface StackServerOptions extends TestServerOptions, Omit<TestRoles, "kind"> {
  readonly kind: ServerKind;
}

/**
 * Starts a server for the tests of one file, or of a `describe`, as a stack of its kind makes it: the parameters of the
 * kind, roles, a certificate and the preset of the access rules.
 */
export function useStackServer(options: StackServerOptions): TestServer {
  const { database, application, readonly, monitor, people, ...more } = options;
  const traces = Object.entries(traceParameters(more.kind)).map(
    ([name, value]) => `${name}=${value}`,
  );
  const server = useServer({ ...more, settings: [...traces, ...(more.settings ?? [])] });
  const roles = { application, readonly, monitor, people };
  beforeAll(async () => {
    const given = Object.entries(roles).filter(([, value]) => value !== undefined);
    const made = await server.makeRoles({ database, ...(Object.fromEntries(given) as object) });
    expect(made.status, made.stderr).toBe(0);
    const names = ["localhost", "127.0.0.1", "::1", server.postgres];
    const tls = await server.agent(["tls"], { server: server.name, names });
    expect(tls.status, tls.stderr).toBe(0);
    await applyPreset(server, more.kind, database);
  });
  return server;
}

/** Applies the access rules of a kind of server. */
export async function applyPreset(
  server: TestServer,
  kind: ServerKind,
  database: string,
): Promise<void> {
  const rules = presets[kind]({ database });
  const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");
  const required = testableConnections(rules, requiredAccess(kind, database));
  await applyHba(server, renderManagedFile(rules, sha256), required);
}
