import type { Client } from "pg";
import { quoteIdentifier as q } from "../../../model/base/sql";
import { isOfData, isOwnTable, rejectUnavoidableCode } from "./code-of-data";
import { SuspendedChecks } from "./suspended-checks";
import { SuspendedColumns } from "./suspended-columns";

/** Functions whose privileges one statement changes. */
const atOnce = 100;

/**
 * Suspends the code of a database, so that nothing of its owner runs while rows have values that are not masked, or in
 * a session with the key of the masks: CHECK constraints of tables and domains are dropped, generated columns with
 * functions of the data become NULL, triggers and rules are disabled, and nobody may execute a function of the data:
 * whatever else calls one fails. Extensions are not suspended.
 *
 * On a failure the database must be dropped.
 */
export class SuspendedCode {
  readonly #enable: string[] = [];
  readonly #events: string[] = [];
  readonly #grants: string[] = [];

  private constructor(
    private readonly checks: SuspendedChecks,
    private readonly generated: SuspendedColumns,
  ) {}

  /**
   * @param admin A session of the superuser, for the privileges of functions.
   * @param owner A session of the role that owns the tables, without the key.
   */
  static async suspend(admin: Client, owner: Client): Promise<SuspendedCode> {
    // So that every name in a definition is qualified.
    await owner.query("SET search_path = ''");
    await rejectUnavoidableCode(owner);
    const suspended = new SuspendedCode(new SuspendedChecks(), new SuspendedColumns());
    await suspended.#disableEventTriggers(admin);
    await suspended.#disable(owner);
    await suspended.checks.drop(owner);
    await suspended.generated.clear(owner);
    await suspended.#revoke(admin);
    return suspended;
  }

  /** Puts everything back as it was. Throws an error for the user if a masked row does not satisfy a constraint. */
  async resume(admin: Client, owner: Client): Promise<void> {
    await owner.query("SET search_path = ''");
    for (const sql of this.#grants) await admin.query(sql);
    await this.generated.restore(owner);
    await this.checks.restore(owner, admin);
    for (const sql of this.#enable) await owner.query(sql);
    for (const sql of this.#events) await admin.query(sql);
  }

  async #disable(owner: Client): Promise<void> {
    const { rows } = await owner.query<{ on: string; what: string; mode: string }>(`
      SELECT tgrelid::regclass::text AS on, 'TRIGGER ' || quote_ident(tgname) AS what, tgenabled AS mode
      FROM pg_trigger JOIN pg_class c ON c.oid = tgrelid
      -- Those of views cannot be disabled, and fire only for a change of the view.
      WHERE NOT tgisinternal AND tgenabled <> 'D' AND c.relkind IN ('r', 'p', 'f') AND ${isOwnTable("tgrelid")}
      UNION ALL
      SELECT ev_class::regclass::text, 'RULE ' || quote_ident(rulename), ev_enabled FROM pg_rewrite JOIN pg_class c ON c.oid = ev_class
      WHERE c.relkind IN ('r', 'p') AND ev_enabled <> 'D' AND ${isOwnTable("c.oid")}`);
    for (const { on, what, mode } of rows) {
      await owner.query(`ALTER TABLE ONLY ${on} DISABLE ${what}`);
      this.#enable.push(`ALTER TABLE ONLY ${on} ENABLE ${modes[mode] ?? ""} ${what}`);
    }
  }

  async #disableEventTriggers(admin: Client): Promise<void> {
    const { rows } = await admin.query<{ name: string; mode: string }>(
      "SELECT evtname AS name, evtenabled AS mode FROM pg_event_trigger WHERE evtenabled <> 'D'",
    );
    for (const { name, mode } of rows) {
      await admin.query(`ALTER EVENT TRIGGER ${q(name)} DISABLE`);
      this.#events.push(`ALTER EVENT TRIGGER ${q(name)} ENABLE ${modes[mode] ?? ""}`);
    }
  }

  /** Takes the right to execute functions of the data from everybody, their owner included. */
  async #revoke(admin: Client): Promise<void> {
    const { rows } = await admin.query<{ name: string; grantee: string; option: boolean }>(`
      SELECT p.oid::regprocedure::text AS name, a.is_grantable AND a.grantee <> p.proowner AS option,
             CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END AS grantee
      FROM pg_proc p, LATERAL aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
      WHERE ${isOfData("pg_proc", "p.oid")} ORDER BY p.oid`);
    const to = ({ grantee, option }: (typeof rows)[number]): string =>
      `TO ${grantee}${option ? " WITH GRANT OPTION" : ""}`;
    for (const grantee of new Set(rows.map((row) => row.grantee)))
      await changeAll(
        rows.filter((row) => row.grantee === grantee),
        async (names) => admin.query(`REVOKE EXECUTE ON ROUTINE ${names} FROM ${grantee} CASCADE`),
      );
    for (const target of new Set(rows.map(to)))
      await changeAll(
        rows.filter((row) => to(row) === target),
        (names) => this.#grants.push(`GRANT EXECUTE ON ROUTINE ${names} ${target}`),
      );
  }
}

/** Calls `change` with the names of functions, as SQL, several at a time. */
async function changeAll(
  functions: readonly { readonly name: string }[],
  change: (names: string) => unknown,
): Promise<void> {
  const names = functions.map(({ name }) => name);
  for (let i = 0; i < names.length; i += atOnce)
    await change(names.slice(i, i + atOnce).join(", "));
}

const modes: Readonly<Record<string, string>> = { A: "ALWAYS", R: "REPLICA" };
