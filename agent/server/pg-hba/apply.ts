import path from "node:path";
import type { Client } from "pg";
import type { PgHbaRequest, PgHbaResult } from "../../../model/pg-hba/rule/protocol";
import { isExternal, rejectExternal } from "../../postgres/external-connection";
import { AgentError, messageOf } from "../../system/errors";
import { connect, waitForPostgres } from "../../postgres/connect";
import { logLine } from "../../system/progress";
import { checkHbaFile } from "./check-file";
import { HbaFile } from "./hba-file";
import { isAuthenticationFailure, reloadRules } from "./reload";
import { lockedOutText, rolledBackText, type LockedOut } from "./locked-out";
import { agentConnection, tryConnections } from "./try-connections";
import { advisoryLocks } from "../../postgres/advisory-locks";

/** Advisory lock: one change of the rules at a time; the lock ends with its session. */
const lock = advisoryLocks.pgHba;

/** How long PostgreSQL may take to start. */
const startSeconds = 60;

/**
 * Puts rules in force: PostgreSQL reads them on a scratch server, they take the file's place, PostgreSQL reloads, and
 * the required connections are tried. When one of them is locked out, the rules from before come back and an
 * {@link AgentError} tells why. Nothing is restarted and no open connection ends.
 */
export async function applyPgHba(request: PgHbaRequest): Promise<PgHbaResult> {
  rejectExternal(request.server, "pg_hba.conf is");
  return new PgHbaChange(request).run();
}

/** Ends a change of the rules that was interrupted: the rules from before it come back. Whether there was one. */
export async function rollBackInterruptedChange(): Promise<boolean> {
  // A file on another machine is taken back by the next change of it.
  if (isExternal) return false;
  const client = await connect("postgres");
  try {
    const file = await HbaFile.of(client);
    if (!(await file.isOnTrial()) || !(await tryLock(client))) return false;
    // Another agent may have ended it before the lock was ours.
    if (!(await file.isOnTrial())) return false;
    await rollBack(client, file);
    return true;
  } finally {
    await client.end();
  }
}

class PgHbaChange {
  readonly #started = performance.now();
  readonly #steps: { name: string; seconds: number }[] = [];

  constructor(private readonly request: PgHbaRequest) {}

  async run(): Promise<PgHbaResult> {
    const client = await this.#step("connect", connectOrWait).catch(async (error: unknown) => {
      if (isAuthenticationFailure(error)) await this.#writeOnly(error);
      throw error;
    });
    try {
      const file = await this.#step("look", async () => this.#open(client));
      const isNew = !(await file.read()).equals(Buffer.from(this.request.text));
      const changed = isNew || !(await isLoaded(client, file));
      if (isNew) await this.#change(client, file);
      else await this.#confirm(client, changed);
      return { changed, seconds: secondsSince(this.#started), steps: this.#steps };
    } finally {
      await client.end().catch(() => undefined);
    }
  }

  /** The file, under the lock, with no trial left open. */
  async #open(client: Client): Promise<HbaFile> {
    if (!(await tryLock(client))) {
      logLine("another change of the rules is running; waiting for it");
      await client.query("SELECT pg_advisory_lock($1, $2)", [...lock]);
    }
    const file = await HbaFile.of(client);
    if (await file.isOnTrial()) {
      logLine("a change of the rules was interrupted; its rules are taken back first");
      await rollBack(client, file);
    }
    return file;
  }

  async #change(client: Client, file: HbaFile): Promise<void> {
    await this.#propose(file);
    await file.startTrial();
    try {
      await this.#step("reload", async () => reloadRules(client));
      const lockedOut = await this.#try();
      if (lockedOut.length > 0)
        throw new AgentError(rolledBackText(this.request.server, lockedOut));
    } catch (error) {
      await this.#step("go back", async () => rollBack(client, file)).catch((trouble: unknown) => {
        logLine(
          `the rules from before could not be put in force yet (${messageOf(trouble)}); the next change does it`,
        );
      });
      throw error;
    }
    await file.endTrial();
  }

  /** Makes sure of rules that are in the file already. */
  async #confirm(client: Client, reload: boolean): Promise<void> {
    if (reload) await this.#step("reload", async () => reloadRules(client));
    const lockedOut = await this.#try();
    if (lockedOut.length > 0) throw new AgentError(lockedOutText(this.request.server, lockedOut));
  }

  async #propose(file: HbaFile): Promise<void> {
    const candidate = await this.#step("write", async () => file.writeCandidate(this.request.text));
    try {
      await this.#step("check", async () => checkHbaFile(candidate, this.request.server));
    } catch (error) {
      await file.deleteCandidate();
      throw error;
    }
  }

  async #try(): Promise<LockedOut[]> {
    const all = [agentConnection, ...this.request.required];
    return this.#step("try", async () => tryConnections(all));
  }

  /** Mends rules that keep the agent out: it can write them, but somebody else must tell PostgreSQL. */
  async #writeOnly(refusal: unknown): Promise<never> {
    const file = await HbaFile.at(path.join(process.env.PGDATA ?? "", "pg_hba.conf"));
    await this.#propose(file);
    await file.activateCandidate();
    const host = process.env.STAGECRAFT_POSTGRES_HOST ?? "<PostgreSQL's container>";
    throw new AgentError(
      [
        messageOf(refusal),
        `  done     the file has the wanted rules now, but without the agent PostgreSQL does not read it`,
        `  fix      docker kill --signal HUP ${host}, then run pulumi up again`,
      ].join("\n"),
      { cause: refusal },
    );
  }

  async #step<T>(name: string, work: () => Promise<T>): Promise<T> {
    const started = performance.now();
    try {
      return await work();
    } finally {
      this.#steps.push({ name, seconds: secondsSince(started) });
    }
  }
}

async function connectOrWait(): Promise<Client> {
  try {
    return await connect("postgres");
  } catch (error) {
    if (isAuthenticationFailure(error)) throw error;
    await waitForPostgres(startSeconds);
    return connect("postgres");
  }
}

/** Whether PostgreSQL has read the file since it was put in its place. */
async function isLoaded(client: Client, file: HbaFile): Promise<boolean> {
  const { rows } = await client.query<{ loaded: boolean }>(
    "SELECT to_timestamp($1::float8) < pg_conf_load_time() AS loaded",
    [await file.changedAtSeconds()],
  );
  return rows[0]?.loaded ?? false;
}

async function tryLock(client: Client): Promise<boolean> {
  const { rows } = await client.query<{ locked: boolean }>(
    "SELECT pg_try_advisory_lock($1, $2) AS locked",
    [...lock],
  );
  return rows[0]?.locked ?? false;
}

/** The rules from before a trial, in their place and in force. */
async function rollBack(client: Client, file: HbaFile): Promise<void> {
  await file.restoreProven();
  await reloadRules(client);
  await file.endTrial();
}

function secondsSince(started: number): number {
  return Math.round(performance.now() - started) / 1000;
}
