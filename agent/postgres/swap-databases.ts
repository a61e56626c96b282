import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "pg";
import { quoteIdentifier as q } from "../../model/base/sql";
import { rollbackPlan, swapPlan, type Renaming } from "../../model/restore/versions";
import { messageOf } from "../system/errors";
import { logLine } from "../system/progress";
import { connect } from "./connect";
import { databaseNames, dropDatabase } from "./databases";

/**
 * Swaps the candidate database (`__incoming`) in, in one transaction. The replaced database becomes a previous version
 * (`__previous`), of which at most `keep` are retained. Returns the downtime in seconds.
 */
export async function swapDatabases(
  client: Client,
  database: string,
  keep: number,
): Promise<number> {
  const names = await databaseNames(client);
  const { renames, drop } = swapPlan(database, names, keep);
  const seconds = await renameDatabases(client, renames);
  // The new contents are live, so nothing from here on may make the restore fail.
  for (const copy of drop) {
    await dropDatabase(client, copy).catch((error: unknown) => {
      logLine(`cannot drop ${copy} yet: ${messageOf(error)}`);
    });
  }
  return names.has(database) ? seconds : 0;
}

/** Rolls a database back to a previous version. Returns the downtime in seconds. */
export async function rollBackDatabase(
  client: Client,
  database: string,
  copy: string,
): Promise<number> {
  return renameDatabases(client, rollbackPlan(database, await databaseNames(client), copy));
}

/**
 * Sends all renames in one message, which is one transaction (PostgreSQL manual, 53.2.2): if the agent is killed in
 * between, no lock stays behind that would block connections.
 */
async function renameDatabases(client: Client, renames: readonly Renaming[]): Promise<number> {
  const started = performance.now();
  const terminator = new SessionTerminator(renames.map(([from]) => from));
  await terminator.start();
  try {
    // The first rename takes the lock that blocks new sessions, and waits until the last old session has ended.
    await client.query(
      renames.map(([from, to]) => `ALTER DATABASE ${q(from)} RENAME TO ${q(to)}`).join("; "),
    );
  } finally {
    await terminator.stop();
  }
  return (performance.now() - started) / 1000;
}

/** Terminates the sessions of databases every 10 ms, on a separate connection, while they are renamed. */
class SessionTerminator {
  #client: Client | undefined;
  #stopped = false;
  #loopEnd: Promise<void> = Promise.resolve();

  constructor(private readonly databases: readonly string[]) {}

  async start(): Promise<void> {
    this.#client = await connect("postgres");
    await this.#terminate();
    this.#loopEnd = this.#loop();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#loopEnd;
    await this.#client?.end();
  }

  async #loop(): Promise<void> {
    while (!this.#stopped) {
      await this.#terminate().catch(() => undefined);
      await sleep(10);
    }
  }

  async #terminate(): Promise<void> {
    await this.#client?.query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = ANY($1) AND pid <> pg_backend_pid()",
      [this.databases],
    );
  }
}
