import { setTimeout as sleep } from "node:timers/promises";
import { expect, vi } from "vitest";
import { observationSchema } from "../../../model/observation/observation";
import {
  archiveResultSchema,
  recoveryInstanceSchema,
  type ArchiveConfig,
  type ArchiveObservation,
  type RecoveryInstance,
} from "../../../model/point-in-time/protocol";
import { docker, type CommandResult, type TestServer } from "../servers/server";
import { polling } from "../time/limit.mjs";

/** Full each Sunday, differential on the other days, and little room for what cannot be archived. */
export const archiveConfig: ArchiveConfig = {
  ...{ full: "0 1 * * 0", differential: "0 1 * * 1-6", timeZone: "UTC" },
  ...{ keepFull: 9, mostWaiting: 64 * 2 ** 20 },
};

/** The archive of a server for tests, with a database `shop` whose table `notes` is written to. */
export class TestArchive {
  constructor(private readonly server: TestServer) {}

  /** Asks the agent. */
  async ask(verb: string, request: object): Promise<CommandResult> {
    return this.server.agent([verb], { server: this.server.name, ...request });
  }

  /** Switches it on or off; whether that changed anything. */
  async switchTo(archive: ArchiveConfig | null): Promise<boolean> {
    const said = await this.ask("archive", { archive });
    expect(said.status, said.stderr).toBe(0);
    return archiveResultSchema.parse(JSON.parse(said.stdout)).changed;
  }

  async observed(): Promise<ArchiveObservation> {
    const said = await this.server.agent(["observe"]);
    return observationSchema.parse(JSON.parse(said.stdout)).archive;
  }

  /** Waits until it looks like this. */
  async until(wanted: (seen: ArchiveObservation) => unknown): Promise<ArchiveObservation> {
    return vi.waitFor(async () => {
      const seen = await this.observed();
      if (!wanted(seen))
        throw new Error(`the archive is not as waited for: ${JSON.stringify(seen)}`);
      return seen;
    }, polling);
  }

  async requestInstance(to: string): Promise<CommandResult> {
    return this.ask("side-restore", { to, hours: 1 });
  }

  async createInstance(to: string): Promise<RecoveryInstance> {
    const said = await this.requestInstance(to);
    expect(said.status, said.stderr).toBe(0);
    return recoveryInstanceSchema.parse(JSON.parse(said.stdout));
  }

  async removeInstance(): Promise<void> {
    expect(await this.server.agent(["side-remove"])).toMatchObject({ status: 0 });
  }

  /** What SQL on the side cluster prints. */
  async instanceSql(database: string, sql: string): Promise<string> {
    const said = await this.server.run(["stagecraft-agent", "side-psql", database, "-XqAtc", sql]);
    expect(said.status, said.stderr).toBe(0);
    return said.stdout.trim();
  }

  /** A moment that everything before lies before, and everything behind lies behind. */
  async timestamp(): Promise<string> {
    await sleep(20);
    const sql = "SELECT clock_timestamp() AT TIME ZONE 'UTC'";
    const text = await this.server.sql("postgres", sql);
    await sleep(20);
    return `${text} UTC`;
  }

  /** Adds rows and tells a moment behind which there are none of them yet, and one before which they all are. */
  async write(rows: string): Promise<{ readonly before: string; readonly after: string }> {
    const before = await this.timestamp();
    await this.server.sql("shop", `INSERT INTO notes ${rows}`);
    return { before, after: await this.timestamp() };
  }

  /** Has PostgreSQL go on to another segment of its log. */
  async nextSegment(): Promise<void> {
    await this.server.sql("postgres", "SELECT pg_logical_emit_message(true, '', '')");
    await this.server.sql("postgres", "SELECT pg_switch_wal()");
  }

  /** The segments in the archive. */
  async segments(): Promise<string[]> {
    const find = "cd /var/lib/pgbackrest/archive && find . -name '0*-*' | sort";
    return (await this.server.output(["sh", "-c", find])).toString().trim().split("\n");
  }

  /** Has the agent's main process look at the archive now, which it does at its start and then every 15 s. */
  async checkNow(): Promise<void> {
    await docker("restart", "--time", "5", this.server.agentContainer);
  }
}
