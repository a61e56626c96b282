import { DatabaseError, type Client } from "pg";
import { PlainTokens } from "../../../model/dump/plain-tokens";
import { creatableExtensions, superuserStatement } from "../../../model/dump/superuser-statement";
import { quoteIdentifier as q } from "../../../model/base/sql";
import { connect } from "../../postgres/connect";
import type { StatementResult } from "../../postgres/raw-statement";

/**
 * Runs on behalf of a dump what PostgreSQL permits to a superuser only: the statements of a closed list, rendered
 * from the names and constants in them, and changes of owners to roles that exist only to own objects.
 */
export class SuperuserWork {
  #client: Client | undefined;

  /**
   * @param candidate The database that the dump is restored into.
   * @param role The role that restores it.
   * @param note Called with what the verdict says about a statement.
   */
  constructor(
    private readonly candidate: string,
    private readonly role: string,
    private readonly note: (text: string) => void = () => undefined,
  ) {}

  /**
   * Runs a statement if it is one of the list; `undefined` if the restore role has to run it.
   *
   * @param searchPath The restore's `search_path`, which the names in the statement are relative to.
   */
  async run(text: string, searchPath: () => Promise<string>): Promise<StatementResult | undefined> {
    const statement = superuserStatement(text);
    if (!statement) return undefined;
    if (statement.kind === "skip") return { tag: "" };
    const client = await this.#connection();
    const path = await searchPath();
    if (statement.kind === "extension") {
      if (!(await needsSuperuser(client, statement.extension))) return undefined;
      const schema = statement.schema ?? path;
      if (await hasCode(client, schema, this.role)) return codeFirst(statement.extension, schema);
    }
    const ending = await this.#inTransaction(path, statement.sql);
    if ("error" in ending) return ending;
    if (statement.kind === "subscription") this.note(detachedNote(statement.name));
    if (statement.kind === "owned") await client.query(statement.then(this.role));
    await this.#grantWrappers(client);
    return ending;
  }

  /**
   * Runs `ALTER … OWNER TO` or `ALTER DEFAULT PRIVILEGES FOR ROLE`, which call no code of the dump; `undefined` if the
   * statement has more than names in it.
   */
  async changeOwner(text: string, searchPath: string): Promise<StatementResult | undefined> {
    const withoutId = text.replace(/^\s*ALTER\s+LARGE\s+OBJECT\s+\d+\s/i, "ALTER LARGE OBJECT id ");
    return PlainTokens.read(withoutId) && this.#inTransaction(searchPath, text);
  }

  async roleExists(role: string): Promise<boolean> {
    const client = await this.#connection();
    const { rowCount } = await client.query("SELECT FROM pg_roles WHERE rolname = $1", [role]);
    return rowCount === 1;
  }

  /** Whether a role exists only to own objects: without login, memberships, or a purpose of its own on this server. */
  async isOwnerOnly(role: string): Promise<boolean> {
    const client = await this.#connection();
    const { rows } = await client.query<{ found: boolean }>(
      `SELECT EXISTS (
         SELECT FROM pg_roles r WHERE r.rolname = $1 AND r.rolname !~ '^pg_'
           AND NOT (r.rolsuper OR r.rolcanlogin OR r.rolcreaterole OR r.rolcreatedb OR r.rolreplication OR r.rolbypassrls)
           AND NOT EXISTS (SELECT FROM pg_auth_members m WHERE m.member = r.oid)
           AND coalesce(shobj_description(r.oid, 'pg_authid'), '') !~ '^stagecraft: ') AS found`,
      [role],
    );
    return rows[0]?.found ?? false;
  }

  /** Lets the restore role use the foreign-data wrappers, to create the servers of the dump. */
  async #grantWrappers(client: Client): Promise<void> {
    const { rows } = await client.query<{ statement: string }>(
      `SELECT format('GRANT USAGE ON FOREIGN DATA WRAPPER %I TO %I', fdwname, $1::text) AS statement
       FROM pg_foreign_data_wrapper WHERE NOT has_foreign_data_wrapper_privilege($1, oid, 'USAGE')`,
      [this.role],
    );
    for (const { statement } of rows) await client.query(statement);
  }

  async end(): Promise<void> {
    await this.#client?.end().catch(() => undefined);
  }

  async #connection(): Promise<Client> {
    this.#client ??= await connect(this.candidate, { log_min_error_statement: "panic" });
    return this.#client;
  }

  async #inTransaction(searchPath: string, sql: string): Promise<StatementResult> {
    const client = await this.#connection();
    try {
      await client.query("BEGIN");
      await client.query("SELECT set_config('search_path', $1, true)", [searchPath]);
      await client.query(sql);
      await client.query("COMMIT");
      return { tag: "" };
    } catch (error) {
      await client.query("ROLLBACK").catch(() => undefined);
      if (error instanceof DatabaseError) return { error };
      throw error;
    }
  }
}

function detachedNote(subscription: string): string {
  return `subscription ${subscription} is disabled and has no slot here, so that it takes nothing from its publisher`;
}

/** Whether only a superuser can create an extension, and Stagecraft does it for a dump. PostgreSQL's own error says the rest. */
async function needsSuperuser(client: Client, extension: string): Promise<boolean> {
  const { rows } = await client.query<{ restricted: boolean }>(
    `SELECT v.superuser AND NOT v.trusted AS restricted
     FROM pg_available_extensions e JOIN pg_available_extension_versions v ON v.name = e.name AND v.version = e.default_version
     WHERE e.name = $1`,
    [extension],
  );
  return rows[0]?.restricted === true && creatableExtensions.has(extension);
}

/** Whether a schema has functions or operators of the dump, which the script of an extension might call by mistake. */
async function hasCode(client: Client, schemas: string, role: string): Promise<boolean> {
  const { rows } = await client.query<{ found: boolean }>(
    `SELECT EXISTS (SELECT FROM pg_proc WHERE proowner = r.oid AND pronamespace = n.oid)
         OR EXISTS (SELECT FROM pg_operator WHERE oprowner = r.oid AND oprnamespace = n.oid) AS found
     FROM pg_roles r JOIN pg_namespace n ON n.nspname = ANY (string_to_array(replace($1, '"', ''), ', '))
     WHERE r.rolname = $2`,
    [schemas, role],
  );
  return rows.some(({ found }) => found);
}

function codeFirst(extension: string, schema: string): StatementResult {
  const message = `extension ${q(extension)} comes after functions of schema ${schema}; pg_dump writes extensions first`;
  const error = new DatabaseError(message, message.length, "error");
  return { error: Object.assign(error, { code: "42501", severity: "ERROR" }) };
}
