import { createReadStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { text } from "node:stream/consumers";
import { prettifyError, type z } from "zod";
import { backupsRequestSchema } from "../model/backup/protocol";
import { connectionRequestSchema } from "../model/connection/protocol";
import { pgHbaRequestSchema } from "../model/pg-hba/protocol";
import { databasesResultSchema, restoreRequestSchema } from "../model/protocol";
import { rolesRequestSchema } from "../model/roles/protocol";
import { settingsRequestSchema } from "../model/postgres-settings/protocol";
import { tlsRequestSchema } from "../model/tls/protocol";
import { listDatabases } from "./databases";
import { AgentError, messageOf } from "./errors";
import { keepGeneration } from "./generations";
import { applyPgHba } from "./pg-hba/apply";
import { checkElsewhere, tryElsewhere } from "./pg-hba/elsewhere";
import { withConnection } from "./postgres";
import { restore } from "./restore/restore";
import { listLogs, logPath, newestReport } from "./store";
import { scheduleBackups } from "./verbs/backups-schedule";
import { ensureConnection } from "./verbs/connection";
import { observe } from "./verbs/observe";
import { receive, receiveSchema } from "./verbs/receive";
import { roles } from "./verbs/roles";
import { serve } from "./verbs/serve";
import { ensureSettings, settingsConfirmed } from "./verbs/settings";
import { ensureTls } from "./verbs/tls";

const server = process.env.STAGECRAFT_SERVER ?? "";

/** What the agent can be asked. Requests are JSON on stdin; an answer is one JSON line on stdout. */
const verbs: Readonly<Record<string, (args: readonly string[]) => unknown>> = {
  serve: () => {
    serve(server);
  },
  observe: async () => {
    answer(await observe(server));
  },
  databases: async () => {
    answer(
      databasesResultSchema.parse({ databases: await withConnection("postgres", listDatabases) }),
    );
  },
  roles: async ([generation]) => {
    answer(await roles(await request(rolesRequestSchema)));
    await keepGeneration("roles", generation);
  },
  "pg-hba": async ([generation]) => {
    answer(await applyPgHba(await request(pgHbaRequestSchema)));
    await keepGeneration("pg-hba", generation);
  },
  connection: async ([generation]) => {
    answer(await ensureConnection(await request(connectionRequestSchema)));
    await keepGeneration("connection", generation);
  },
  "backups-schedule": async ([generation]) => {
    answer(await scheduleBackups(await request(backupsRequestSchema)));
    await keepGeneration("backups", generation);
  },
  "pg-hba-check": async () => {
    answer(await checkElsewhere(await request(pgHbaRequestSchema)));
  },
  "pg-hba-try": async ([generation]) => {
    answer(await tryElsewhere(await request(pgHbaRequestSchema)));
    // Also of rules that are taken back, so that they are tried again next time.
    await keepGeneration("pg-hba", generation);
  },
  settings: async ([generation]) => {
    const result = await ensureSettings(await request(settingsRequestSchema));
    // One that waits for a restart is in force when it is confirmed.
    if (result.restart.length === 0) await keepGeneration("settings", generation);
    answer(result);
  },
  tls: async ([generation]) => {
    answer(await ensureTls(await request(tlsRequestSchema)));
    await keepGeneration("tls", generation);
  },
  "settings-confirm": async ([generation]) => {
    answer(await settingsConfirmed(await request(settingsRequestSchema)));
    await keepGeneration("settings", generation);
  },
  receive: async ([sha256, database, mode, folder]) => {
    await receive(check(receiveSchema, { sha256, database, mode, folder }));
  },
  restore: async () => {
    const result = await restore(await request(restoreRequestSchema));
    if (result.result === "failed") {
      process.stderr.write(`${result.text}\n`);
      process.exitCode = 1;
    }
    // The report with its verdict stays with the agent: a line of many tables would be too long for Pulumi's command.
    answer({ ...result, verdict: undefined });
  },
  report: async () => {
    answer(await newestReport());
  },
  logs: async () => {
    answer(await listLogs());
  },
  log: async ([name]) => {
    const file = name ?? (await listLogs()).at(-1);
    if (file === undefined) throw new AgentError("there is no log yet");
    if (!(await listLogs()).includes(file))
      throw new AgentError(`there is no log ${file}; list them with: logs`);
    await pipeline(createReadStream(logPath(file)), process.stdout, { end: false });
  },
};

/** The request on stdin. One that is meant for another server is refused, whatever it asks for. */
async function request<T extends { readonly server: string }>(schema: z.ZodType<T>): Promise<T> {
  const asked = check(schema, parseJson(await text(process.stdin)));
  if (asked.server === server) return asked;
  throw new AgentError(
    `the request is for server ${asked.server}, this is ${server}; check the names of the containers`,
  );
}

function check<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new AgentError(`the request does not fit this agent:\n${prettifyError(parsed.error)}`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new AgentError(`the request is not JSON: ${messageOf(error)}`, { cause: error });
  }
}

function answer(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

async function main([verb = "", ...args]: readonly string[]): Promise<void> {
  const run = Object.hasOwn(verbs, verb) ? verbs[verb] : undefined;
  if (!run)
    throw new AgentError(`unknown verb "${verb}"; it is one of: ${Object.keys(verbs).join(", ")}`);
  await run(args);
}

main(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(
    `${error instanceof AgentError ? error.message : `unexpected: ${error instanceof Error ? (error.stack ?? error.message) : messageOf(error)}`}\n`,
  );
  process.exitCode = 1;
});
