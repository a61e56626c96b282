import type { Client } from "pg";
import type { PgHbaRequest, PgHbaResult } from "../../../model/pg-hba/rule/protocol";
import { isExternal, rejectExternal } from "../../postgres/external-connection";
import { AgentError, messageOf } from "../../system/errors";
import { waitForPostgres } from "../../postgres/connect";
import { postgresHostName } from "../../postgres/container";
import { logLine } from "../../system/progress";
import { requireValidRules } from "./check-file";
import { restoreAcceptedRules, saveAcceptedRules } from "./accepted-rules";
import { areRulesActive } from "./active-rules";
import { HbaFile } from "./hba-file";
import { areMapsDifferent, readMaps, writeMaps } from "./maps-file";
import { isAuthenticationFailure, reloadRules } from "./reload";
import { lockedOutText, rolledBackText, type LockedOut } from "./locked-out";
import { agentConnection, tryConnections } from "./try-connections";
import { advisoryLocks } from "../../postgres/advisory-locks";
import { tryLock, waitForLock } from "../../postgres/locks";
import { connectToOwnDatabase } from "../../postgres/own-database";

/** Advisory lock that serialises changes of the rules; the session holds it. */
const lock = advisoryLocks.pgHba;

/** How long PostgreSQL may take to start; the engine waits up to 60 s before it starts a container again. */
const startSeconds = 120;

/**
 * Applies rules: a scratch PostgreSQL checks the file, it replaces `pg_hba.conf`, PostgreSQL reloads, and the required
 * connections are tried. If one of them is locked out, the previous rules are restored and an {@link AgentError} with
 * the reason is thrown. Nothing is restarted and open connections stay open.
 */
export async function applyPgHba(request: PgHbaRequest): Promise<PgHbaResult> {
  rejectExternal(request.server, "pg_hba.conf is");
  return new PgHbaChange(request).run();
}

/** Rolls back a change of the rules that was interrupted. Returns whether there was one. */
export async function rollBackInterruptedChange(): Promise<boolean> {
  // The file of an external server is restored by the next change.
  if (isExternal) return false;
  const client = await connectToOwnDatabase();
  try {
    const file = await HbaFile.of(client);
    if (!(await file.isOnTrial()) || !(await tryLock(client, lock))) return false;
    // Another agent may have rolled it back before this one got the lock.
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
      const file = await this.#step("open", async () => this.#open(client));
      const { text, maps } = this.request;
      const isOtherText = !(await file.read()).equals(Buffer.from(text));
      const isNew = isOtherText || (maps !== undefined && (await areMapsDifferent(client, maps)));
      const changed = isNew || !(await isActive(client, file, text));
      if (isNew) await this.#replace(client, file);
      else await this.#confirm(client, changed);
      await saveAcceptedRules(text);
      return { changed, seconds: secondsSince(this.#started), steps: this.#steps };
    } finally {
      await client.end().catch(() => undefined);
    }
  }

  /** Takes the lock, and rolls back an interrupted change. */
  async #open(client: Client): Promise<HbaFile> {
    await waitForLock(client, lock, { holder: "another change of the rules" });
    const file = await HbaFile.of(client);
    if (await file.isOnTrial()) {
      logLine("a change of the rules was interrupted; rolling it back first");
      await rollBack(client, file);
    }
    return file;
  }

  async #replace(client: Client, file: HbaFile): Promise<void> {
    await this.#writeCandidate(file);
    const { maps } = this.request;
    const previousMaps = await readMaps();
    if (maps !== undefined) await writeMaps(maps);
    await file.startTrial();
    try {
      await this.#step("reload", async () => reloadRules(client, this.request.text));
      const lockedOut = await this.#try();
      if (lockedOut.length > 0)
        throw new AgentError(rolledBackText(this.request.server, lockedOut));
    } catch (error) {
      await this.#step("roll back", async () => {
        if (maps !== undefined) await writeMaps(previousMaps);
        await rollBack(client, file);
      }).catch((rollbackError: unknown) => {
        logLine(
          `cannot restore the previous rules yet (${messageOf(rollbackError)}); the next change restores them`,
        );
      });
      throw error;
    }
    await file.endTrial();
  }

  /** Checks rules that are in the file already. */
  async #confirm(client: Client, reload: boolean): Promise<void> {
    if (reload) await this.#step("reload", async () => reloadRules(client, this.request.text));
    const lockedOut = await this.#try();
    if (lockedOut.length > 0) throw new AgentError(lockedOutText(this.request.server, lockedOut));
  }

  async #writeCandidate(file: HbaFile): Promise<void> {
    await this.#step("check", async () =>
      requireValidRules(this.request.text, this.request.server, this.request.maps),
    );
    await this.#step("write", async () => file.writeCandidate(this.request.text));
  }

  async #try(): Promise<LockedOut[]> {
    const all = [agentConnection, ...this.request.required];
    return this.#step("try", async () => tryConnections(all));
  }

  /** Replaces rules that lock the agent out: it can write the file, but the user must make PostgreSQL reload it. */
  async #writeOnly(connectError: unknown): Promise<never> {
    const file = new HbaFile();
    await this.#writeCandidate(file);
    await file.activateCandidate();
    const container = postgresHostName ?? "<PostgreSQL's container>";
    throw new AgentError(
      [
        messageOf(connectError),
        `  done     pg_hba.conf has the new rules, but the agent cannot make PostgreSQL reload it`,
        `  fix      docker kill --signal HUP ${container}, then run pulumi up again`,
      ].join("\n"),
      { cause: connectError },
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
    return await connectToOwnDatabase();
  } catch (error) {
    if (isAuthenticationFailure(error)) throw error;
    await restoreAcceptedRules();
    await waitForPostgres(startSeconds);
    return connectToOwnDatabase();
  }
}

/** Whether PostgreSQL has loaded the file since it was replaced, and accepted it. */
async function isActive(client: Client, file: HbaFile, text: string): Promise<boolean> {
  return (await file.isLoaded(client)) && (await areRulesActive(text)) !== false;
}

/** Restores the rules from before the trial, and reloads them. */
async function rollBack(client: Client, file: HbaFile): Promise<void> {
  await file.restoreProven();
  await reloadRules(client, (await file.read()).toString("utf8"));
  await file.endTrial();
}

function secondsSince(started: number): number {
  return Math.round(performance.now() - started) / 1000;
}
