import { connectedDatabase } from "./cluster-databases";
import type { StatementFacts } from "./statement";

/** What to do with a statement: run it, leave it out, or give up with a problem, a sentence about the file. */
export type DatabaseDecision = "run" | "leave out" | { readonly problem: string };

/**
 * Follows which database a plain dump is about. A dump of one database that creates it and connects to it (`pg_dump -C`) is
 * restored into another one; of a whole cluster the statements of one database are run.
 */
export class OneDatabase {
  #name: string | undefined;
  /** Whether anything was created or filled. */
  #isUsed = false;
  /** A database that was dropped to be created again. */
  #dropped: string | undefined;
  #current: string | undefined;
  #found = false;

  /** @param only The database to run the statements of, from the dump of a whole cluster. */
  constructor(private readonly only?: string) {}

  /** Whether the dump is at a database that is not restored. */
  get isElsewhere(): boolean {
    return this.only !== undefined && this.#current !== this.only;
  }

  /** The problem at the end of the dump; `undefined` if there is none. */
  get problem(): string | undefined {
    if (this.only !== undefined) return this.#found ? undefined : `has no database ${this.only}`;
    return this.#dropped === undefined
      ? undefined
      : `drops database ${this.#dropped} and does not create it again`;
  }

  /** Takes a `\connect`; returns the problem with it. */
  connect(command: string): string | undefined {
    const name = connectedDatabase(command);
    if (name === undefined) return undefined;
    this.#current = name;
    if (name === this.only) this.#found = true;
    return this.only === undefined ? this.#same(name) : undefined;
  }

  /** Takes a statement. */
  statement({ action, name, object = "", excerpt }: StatementFacts): DatabaseDecision {
    if (this.isElsewhere) return "leave out";
    if (action === "change database") {
      if (this.only !== undefined) return "leave out";
      return this.#change(name ?? "", excerpt);
    }
    // Their database is the source of the dump.
    if (/^(?:comment|grant|set owner)$/.test(action) && object.startsWith("DATABASE "))
      return "leave out";
    if (/^SECURITY LABEL (?:FOR \S+ )?ON DATABASE\b/i.test(excerpt)) return "leave out";
    if (action === "set") return "run";
    const { problem } = this;
    if (problem !== undefined && this.only === undefined) return { problem };
    this.#isUsed = true;
    return "run";
  }

  #change(name: string, excerpt: string): DatabaseDecision {
    if (/\bRENAME TO\b/i.test(excerpt)) return { problem: "renames a database" };
    if (/^DROP\b/i.test(excerpt)) this.#dropped = name;
    else if (/^CREATE\b/i.test(excerpt)) this.#dropped = undefined;
    else if (this.#name === undefined) return { problem: "alters a database" };
    const problem = this.#same(name);
    return problem === undefined ? "leave out" : { problem };
  }

  /** The problem when a database is another one than before. */
  #same(name: string): string | undefined {
    const before = this.#name;
    if (before === name) return undefined;
    if (before !== undefined) return `has several databases: ${before} and ${name}`;
    if (this.#isUsed) return `connects to database ${name} after it has created objects`;
    this.#name = name;
    return undefined;
  }
}
