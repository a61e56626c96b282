import { createHash } from "node:crypto";
import { expect } from "vitest";
import type { VerbName } from "../../../contract/verbs";
import { mask } from "../../../model/masks/mask";
import { archiveConfig, TestArchive } from "../recovery/wal-archive";
import { backUpWell, schedule } from "../backups/agent-backups";
import { verifyBackup } from "../backups/dumped-backup";
import type { CommandResult, TestServer } from "../servers/server";
import { applyPreset } from "../servers/stack-server";
import type { Act } from "./act";
import { ownPathSql, type Shadows } from "./shadows";

const text = "CREATE TABLE public.added (id int);";

/** A script that is pending on a database of these tests. */
const upgrades = {
  rules: { gaps: "refused", baseline: "1" },
  scripts: [
    {
      ...{ package: "application", from: "1", to: "2", name: "upgrade-1-2.sql", text },
      sha256: createHash("sha256").update(text).digest("hex"),
    },
  ],
};

const preparation = {
  upgrades,
  masks: { classify: "listed only", columns: { "public.customers.name": mask.hash() } },
  defuse: [{ name: "nothing", sql: "SELECT 1", expect: "SELECT true" }],
};

/** Asks for everything that an agent does with a database of `shopSql`, in an order in which it can be done. */
export class AgentActs {
  readonly #server: TestServer;

  constructor(
    server: TestServer,
    private readonly database: string,
    private readonly shadows: Shadows,
  ) {
    this.#server = server;
  }

  /** What every server is asked for. */
  common(): Act[] {
    return [
      this.#act("observe", ["observe", "databases"], async () => {
        await this.#ask("observe");
        await this.#ask("databases");
      }),
      this.#act("roles with something to correct", ["roles"], async () => {
        await this.#asSuperuser(`GRANT ALL ON public.customers TO PUBLIC`);
        const { status, stderr } = await this.#server.makeRoles({ database: this.database });
        expect(status, stderr).toBe(0);
      }),
      this.#act("upgrade scripts, looked at and tried", ["upgrades"], async () => {
        for (const mode of ["look", "dry run"])
          await this.#ask("upgrades", { database: this.database, mode, upgrades });
      }),
      this.#act(
        "a backup and its verification",
        [
          ...["backups-schedule", "backup", "verify", "backups", "backups-at-hand"],
          ...["backups-send", "recover"],
        ] as const,
        async () => {
          await schedule(this.#server, { nightly: { databases: [this.database] } });
          const { id } = await backUpWell(this.#server, "nightly");
          const { result, stderr } = await verifyBackup(this.#server, id);
          expect(result?.verification?.result, stderr).toBe("passed");
          await this.#ask("backups", { pins: [] });
          await this.#ask("backups-at-hand");
          await this.#call(["backups-send", id]);
          const own = { database: this.database, roles: "leave out" };
          await this.#ask("recover", { kind: this.#server.kind, own, databases: [] });
        },
      ),
      this.#act(
        "a restore with scripts, masks, statements and preserved tables",
        ["receive", "plan", "restore", "report", "logs", "log"],
        async () => this.#restore(),
      ),
      this.#act("psql", ["psql"], async () => {
        await this.#call([
          "psql",
          this.database,
          "-XAtqc",
          "SELECT lower('X'), count(*) FROM pg_class",
        ]);
      }),
    ];
  }

  /** What a server with a cluster of its own is asked for besides. */
  ofCluster(): Act[] {
    const application = {
      revision: "1",
      url: `http://${this.#server.agentContainer}:9187/metrics`,
    };
    return [
      this.#act(
        "a scheduled backup",
        ["backups-schedule", "job", "backups-forget", "backups-delete"],
        async () => {
          await schedule(this.#server, { nightly: { databases: [this.database] } });
          const { stdout } = await this.#call(["job", "backup", "nightly"]);
          await this.#ask("backups-forget", { pins: [], dryRun: true });
          const { backup } = JSON.parse(stdout) as { backup: string };
          await this.#ask("backups-delete", { pins: [], backups: [backup] });
        },
      ),
      this.#act(
        "rules, parameters and the certificate",
        ["pg-hba", "settings", "settings-confirm", "tls"],
        async () => {
          await applyPreset(this.#server, "staging", this.database);
          await applyPreset(this.#server, this.#server.kind, this.database);
          for (const verb of ["settings", "settings-confirm"] as const)
            await this.#ask(verb, { settings: { work_mem: "8MB" } });
          await this.#ask("tls", { names: ["localhost", this.#server.postgres, "db.example"] });
        },
      ),
      this.#act("the archive", ["archive", "base-backup", "observe"], async () => {
        const archive = new TestArchive(this.#server);
        await archive.switchTo(archiveConfig);
        await archive.until(({ windows }) => windows.length > 0);
        await this.#ask("base-backup", { type: "full" });
      }),
      this.#act(
        "a recovery instance, and what is copied from it",
        [
          "side-restore",
          "side",
          "side-psql",
          "side-copy-table",
          "side-restore-table",
          "side-copy-database",
          "side-remove",
        ],
        async () => {
          const { kind } = this.#server;
          await this.#ask("side-restore", { to: "latest", hours: 1 });
          await this.#ask("side");
          await this.#call([
            "side-psql",
            this.database,
            "-XqAtc",
            "SELECT lower('X'), count(*) FROM pg_class",
          ]);
          const { database } = this;
          const table = { database, schema: "public", table: "customers" };
          await this.#ask("side-copy-table", {
            ...table,
            toSchema: "public",
            toTable: "customers_then",
          });
          await this.#asSuperuser("DROP TABLE public.customers_then");
          await this.#asSuperuser("DROP TABLE public.customers CASCADE");
          await this.#ask("side-restore-table", table);
          await this.#ask("side-copy-database", { database, kind, to: "then", replace: false });
          await this.#expectShadowsOfInstance();
          await this.#ask("side-remove");
        },
      ),
      this.#act(
        "the application",
        [
          "application",
          "application-due",
          "application-health",
          "application-report",
          "application-forget",
          "observe",
        ],
        async () => {
          await this.#ask("application", application);
          const started = "2020-01-01T00:00:00Z";
          await this.#call(["application-due", this.database, started]);
          await this.#call(["application-health", "0"]);
          await this.#ask("observe");
          const about = {
            database: this.database,
            revision: "1",
            container: "application",
            errorPattern: "ERROR",
          };
          const report = ["application-report", "restarted", started, "1", ""];
          const request = JSON.stringify({ server: this.#server.name, ...about });
          const said = await this.#server.agentWith(report, Buffer.from(`${request}\n`));
          expect(said.status, said.stderr).toBe(0);
          await this.#call(["application-forget"]);
        },
      ),
    ];
  }

  /** That nothing was called in the recovery instance, where a superuser's session with the database's parameters would. */
  async #expectShadowsOfInstance(): Promise<void> {
    expect(await this.shadows.called()).toEqual([]);
    const socket = ["-h", "/var/lib/stagecraft/side/run", "-U", "postgres", "-d", this.database];
    await this.#server.output(["psql", "-Xqc", "SELECT lower('X')", ...socket]);
    expect(await this.shadows.called()).toContain("lower");
  }

  #act(name: string, verbs: readonly VerbName[], run: () => Promise<void>): Act {
    return { name, verbs, run };
  }

  /** SQL of the test's own superuser, who must not call what lies in the way. */
  async #asSuperuser(sql: string): Promise<void> {
    const said = await this.#server.trySql(this.database, `SET search_path = pg_catalog; ${sql}`);
    expect(said.status, said.stderr).toBe(0);
  }

  async #ask(verb: VerbName, request?: object): Promise<CommandResult> {
    const said = await this.#server.agent(
      [verb],
      request === undefined ? undefined : { server: this.#server.name, ...request },
    );
    expect(said.status, said.stderr).toBe(0);
    return said;
  }

  async #call(words: readonly string[]): Promise<CommandResult> {
    const said = await this.#server.agent(words);
    expect(said.status, said.stderr).toBe(0);
    return said;
  }

  /** Has every schema of the database and what is in it dumped, and restored over it; on production beside it. */
  async #restore(): Promise<void> {
    const { kind } = this.#server;
    const production = kind === "production";
    const database = production ? `${this.database}_again` : this.database;
    const mode = production ? "when missing" : "replace";
    const dumped = (await this.#server.dump(this.database)).toString();
    const end = "--\n-- PostgreSQL database dump complete";
    const dump = await this.#server.file(dumped.replace(end, () => `${ownPathSql}\n\n${end}`));
    const { sha256 } = await this.#server.receive(dump, { database, mode });
    const source = { name: "again.dump", sha256 };
    const keep = production ? [] : [{ table: "public.customers" }];
    const request = {
      database,
      source,
      mode,
      restoreId: "again",
      prepare: { ...preparation, keep },
    };
    await this.#ask("plan", { kind, roles: "leave out", ...request });
    const { result } = await this.#server.restoreReceived(request as never);
    expect(result.result, result.text).toBe("restored");
    for (const verb of ["report", "logs", "log"]) await this.#call([verb]);
  }
}
