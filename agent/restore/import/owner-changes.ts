import type { DatabaseError } from "pg";
import type { StatementFacts } from "../../../model/dump/statement";
import type { RolesChoice } from "../../../model/restore/protocol";
import type { Recorder } from "./recorder";
import type { SuperuserWork } from "./superuser-work";

/** What changes of owners need to know of a restore. */
interface OwnersOfRestore {
  readonly superuser: SuperuserWork;
  readonly recorder: Recorder;
  readonly roles: RolesChoice;
  /** The database's own roles; their objects go to its owner without a warning. */
  readonly ownRoles: ReadonlySet<string>;
  /** Creates a role without login, on another connection. */
  readonly createRole: (name: string) => Promise<void>;
}

/** A statement that may run at the end of the restore. */
export interface DeferredStatement {
  readonly facts: StatementFacts;
  readonly line: number;
  readonly text: () => string;
  /** The restore's `search_path`, which the names in the statement are relative to. */
  readonly searchPath: () => Promise<string>;
}

/** A statement that changes the owner of something, and where its names are looked up. */
interface OwnerChange extends Pick<DeferredStatement, "facts" | "line"> {
  readonly text: string;
  readonly searchPath: string;
}

/** The changes of owners in a dump. They come last: until then the restore role owns everything, and so may do everything. */
export class OwnerChanges {
  readonly #changes: OwnerChange[] = [];
  #sessionRole: string | undefined;

  constructor(private readonly restore: OwnersOfRestore) {}

  /** The role of SET SESSION AUTHORIZATION. */
  get sessionRole(): string | undefined {
    return this.#sessionRole;
  }

  /** Takes a statement that sets an owner. */
  async defer(statement: DeferredStatement): Promise<void> {
    const { roles, ownRoles } = this.restore;
    const { facts } = statement;
    if (roles === "leave out") {
      for (const role of facts.roles) this.#skip(role);
    } else if (facts.object === undefined) {
      // pg_dump writes it around grants; the restore role grants in that role's place.
      const [role] = facts.roles;
      this.#sessionRole = role !== undefined && ownRoles.has(role) ? undefined : role;
    } else if (!facts.roles.some((role) => ownRoles.has(role))) await this.#add(statement);
  }

  /** Takes a change of default privileges, which only the role itself may make. Returns whether it was dealt with. */
  async deferDefaults(statement: DeferredStatement): Promise<boolean> {
    const { roles, ownRoles, superuser, recorder } = this.restore;
    const [owner = ""] = statement.facts.roles;
    if (ownRoles.has(owner)) return true;
    if (roles === "create without login") {
      await this.#add(statement);
      return true;
    }
    if (!(await superuser.roleExists(owner))) return false;
    recorder.log.role(owner, "left out").grants++;
    return true;
  }

  /** Makes the changes. @param onError Called with each that PostgreSQL rejects */
  async apply(
    onError: (change: Pick<DeferredStatement, "facts" | "line">, error: DatabaseError) => void,
  ): Promise<void> {
    for (const change of this.#changes) await this.#apply(change, onError);
  }

  async #apply(
    change: OwnerChange,
    onError: (change: OwnerChange, error: DatabaseError) => void,
  ): Promise<void> {
    const { superuser, createRole } = this.restore;
    const { facts, text, searchPath } = change;
    const [role = ""] = facts.roles;
    for (const name of facts.roles) if (!(await superuser.roleExists(name))) await createRole(name);
    if (!(await superuser.isOwnerOnly(role))) {
      this.#skip(role);
      return;
    }
    const ending = await superuser.changeOwner(text, searchPath);
    if (!ending) this.#skip(role);
    else if ("error" in ending) onError(change, ending.error);
  }

  async #add({ facts, line, text, searchPath }: DeferredStatement): Promise<void> {
    this.#changes.push({ facts, line, text: text(), searchPath: await searchPath() });
  }

  /** Skips ALTER … OWNER TO: the object goes to the database's owner. Recorded unless the role is one of the database's own. */
  #skip(role: string): void {
    const { ownRoles, recorder } = this.restore;
    if (!ownRoles.has(role)) recorder.log.role(role, "left out").objects++;
  }
}
