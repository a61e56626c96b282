import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Client } from "pg";
import { renderPassfile } from "../../model/connection/passfile";
import { quoteIdentifier as q } from "../../model/base/sql";
import { sessionRolePrefix } from "../../model/roles/names";
import { sessionUsers } from "../../model/pg-hba/rule/presets";
import { EnvironmentError } from "../system/errors";
import { advisoryLocks } from "./advisory-locks";
import { clientProgramEnvironment } from "./client-programs";
import {
  openConnection,
  ownSqlSettings,
  renderOptions,
  supportedSettings,
  withConnection,
  type SessionSettings,
} from "./connect";
import { tryLockDatabase, unlockDatabase } from "./databases";
import { withLock } from "./locks";
import { connectToOwnDatabase, withOwnDatabase } from "./own-database";
import { scramVerifier } from "./scram";

/** Options of {@link RestrictedLogin.create}. */
export interface RestrictedLoginOptions {
  /** The role whose rights the login has, and that its sessions start as. @default none: it has the rights of what it creates */
  readonly role?: string | undefined;
  /** Parameters of its sessions that only a superuser can set. @default none */
  readonly settings?: SessionSettings | undefined;
  /** Parameters that its sessions may set although only a superuser can. PostgreSQL 15 or later. @default none */
  readonly maySet?: readonly string[] | undefined;
}

/**
 * A role without superuser rights that logs in, for code that a dump, a database or its owner brings. A session that only
 * started with `SET ROLE` could go back to the superuser: `SET ROLE NONE` is open to any function that it calls.
 * The role exists as long as this object: {@link drop} removes it, and {@link dropUnusedLogins} after a killed agent.
 */
export class RestrictedLogin {
  readonly #password = randomBytes(24).toString("base64url");
  #folder: string | undefined;

  private constructor(
    /** Name of the login role. */
    readonly name: string,
    private readonly admin: Client,
    private readonly role: string | undefined,
  ) {}

  /** Creates the role. */
  static async create(options: RestrictedLoginOptions = {}): Promise<RestrictedLogin> {
    const name = `${sessionRolePrefix}${randomBytes(6).toString("hex")}`;
    // Holds the lock that keeps dropUnusedLogins away.
    const admin = await connectToOwnDatabase();
    try {
      await tryLockDatabase(admin, name);
      const login = new RestrictedLogin(name, admin, options.role);
      // PostgreSQL fails concurrent changes of a parameter's privileges ("tuple concurrently updated").
      const wait = { holder: "another change of roles" };
      await withLock(admin, advisoryLocks.roles, wait, async () => login.#createRole(options));
      return login;
    } catch (error) {
      await admin.end().catch(() => undefined);
      throw error;
    }
  }

  async #createRole({ role, settings = {}, maySet = [] }: RestrictedLoginOptions): Promise<void> {
    const { admin } = this;
    const supported = supportedSettings(settings);
    await admin.query("BEGIN");
    // The verifier must not get into the server log.
    await admin.query(
      `SET LOCAL log_statement = 'none'; SET LOCAL log_min_duration_statement = -1; SET LOCAL log_duration = off;
       SET LOCAL log_min_error_statement = 'panic'`,
    );
    await admin.query(`CREATE ROLE ${q(this.name)} LOGIN INHERIT`);
    await admin.query(
      "SELECT set_config('stagecraft.role', $1, true), set_config('stagecraft.verifier', $2, true)",
      [this.name, scramVerifier(this.#password)],
    );
    await admin.query(
      `DO $$ BEGIN EXECUTE format('ALTER ROLE %I PASSWORD %L', current_setting('stagecraft.role'), current_setting('stagecraft.verifier')); END $$`,
    );
    await admin.query(`ALTER ROLE ${q(this.name)} SET lc_messages = 'C'`);
    for (const [name, value] of Object.entries(supported)) {
      await admin.query("SELECT set_config('stagecraft.setting', $1, true)", [value]);
      await admin.query(
        `DO $$ BEGIN EXECUTE format('ALTER ROLE %I SET ${name} = %L', current_setting('stagecraft.role'), current_setting('stagecraft.setting')); END $$`,
      );
    }
    if (role !== undefined) await admin.query(`GRANT ${q(role)} TO ${q(this.name)}`);
    for (const name of maySet)
      await admin.query(`GRANT SET ON PARAMETER ${q(name)} TO ${q(this.name)}`);
    await admin.query("COMMIT");
  }

  /**
   * Connects as the role. The caller must end the connection. Throws an {@link EnvironmentError} when `pg_hba.conf` does not
   * let the role in.
   */
  async connect(database: string, settings: SessionSettings = {}): Promise<Client> {
    const login = { user: this.name, password: this.#password };
    const options = this.#options({ ...ownSqlSettings, ...settings });
    try {
      return await openConnection(database, options, login);
    } catch (error) {
      const { cause } = error as { cause?: { code?: string } };
      if (cause?.code !== "28000") throw error;
      throw new EnvironmentError(
        `pg_hba.conf does not let in the agent's restricted logins, as which it runs the code of dumps and databases; run pulumi up again, or add for an external server: host all ${sessionUsers} <address of the agent> scram-sha-256`,
        { cause: error },
      );
    }
  }

  /** Environment of PostgreSQL's client programs to connect as the role; the password is in a file. */
  async environment(settings: SessionSettings = {}): Promise<NodeJS.ProcessEnv> {
    this.#folder ??= await mkdtemp(path.join(tmpdir(), "login-"));
    const file = path.join(this.#folder, "pass");
    await writeFile(file, renderPassfile(this.#password), { mode: 0o600 });
    return {
      ...clientProgramEnvironment(this.#options(settings)),
      PGUSER: this.name,
      PGPASSFILE: file,
    };
  }

  #options(settings: SessionSettings): string {
    const start = this.role === undefined ? {} : { role: this.role };
    return renderOptions({ ...start, ...settings });
  }

  /** Ends the role's sessions and drops it. What it owns goes to the owner of the database that it is in. */
  async drop(): Promise<void> {
    if (this.#folder !== undefined) await rm(this.#folder, { recursive: true, force: true });
    try {
      // After a restart of PostgreSQL on a new connection.
      await dropLogin(this.admin, this.name).catch(async () =>
        withOwnDatabase(async (admin) => dropLogin(admin, this.name)),
      );
    } finally {
      await this.admin.end().catch(() => undefined);
    }
  }
}

/** Calls `use` with a restricted login, and drops it. */
export async function withRestrictedLogin<T>(
  options: RestrictedLoginOptions,
  use: (login: RestrictedLogin) => Promise<T>,
): Promise<T> {
  const login = await RestrictedLogin.create(options);
  try {
    return await use(login);
  } finally {
    // The agent's main process tries again every minute.
    await login.drop().catch(() => undefined);
  }
}

/** The role with which earlier versions restored: a superuser that nobody could log in as. */
const earlierRestoreRole = "stagecraft_restore";

/** Drops the restricted logins that a killed agent left behind. @param client A connection to the agent's own database */
export async function dropUnusedLogins(client: Client): Promise<void> {
  const { rows } = await client.query<{ rolname: string }>(
    "SELECT rolname FROM pg_roles WHERE starts_with(rolname, $1) OR rolname = $2",
    [sessionRolePrefix, earlierRestoreRole],
  );
  for (const { rolname } of rows) {
    if (!(await tryLockDatabase(client, rolname))) continue;
    try {
      await dropLogin(client, rolname);
    } finally {
      await unlockDatabase(client, rolname);
    }
  }
}

/** Drops a login role, or only takes its login away while it owns a database. */
async function dropLogin(admin: Client, name: string): Promise<void> {
  await admin.query(`ALTER ROLE ${q(name)} NOSUPERUSER NOLOGIN PASSWORD NULL`);
  await admin.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1", [
    name,
  ]);
  const { rows } = await admin.query<{ database: string; owner: string }>(
    `SELECT DISTINCT d.datname AS database, pg_get_userbyid(d.datdba) AS owner
     FROM pg_shdepend s JOIN pg_database d ON d.oid = s.dbid
     WHERE s.refclassid = 'pg_authid'::regclass AND s.refobjid = $1::regrole`,
    [q(name)],
  );
  for (const { database, owner } of rows) {
    if (owner === name) return;
    await withConnection(database, async (client) => {
      await client.query(`REASSIGN OWNED BY ${q(name)} TO ${q(owner)}`);
      await client.query(`DROP OWNED BY ${q(name)}`);
    });
  }
  // Its privileges on parameters.
  await admin.query(`DROP OWNED BY ${q(name)}`);
  await admin.query(`DROP ROLE ${q(name)}`);
}
