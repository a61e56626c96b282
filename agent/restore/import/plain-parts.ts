import type { Client } from "pg";
import type { StatementFacts } from "../../../model/dump/statement";
import { AgentError } from "../../system/errors";
import type { Around } from "./around-rows";
import type { Recorder } from "./recorder";

/** What the parts of a plain dump are for. */
interface PartsOfRestore {
  /** The dump's name in messages. */
  readonly name: string;
  readonly client: Client;
  readonly recorder: Recorder;
  readonly around?: Around | undefined;
}

/** The import has failed, and what has to be done around the rows was not done; the recorder has the reason. */
export class StoppedAtRows extends Error {
  override readonly name = "StoppedAtRows";
}

/**
 * Follows the parts of a plain dump, which come in this order: tables, rows, and everything that runs code when rows are
 * written. Does nothing unless there is something to do around the rows.
 */
export class PlainParts {
  #part: "tables" | "rows" | "rest" = "tables";
  /** The first statement after the rows. */
  #rest = "";

  constructor(private readonly restore: PartsOfRestore) {}

  /**
   * Call it before each statement; returns whether to run it. Throws an {@link AgentError} for rows after the rest, and
   * {@link StoppedAtRows}.
   */
  async admit(facts: StatementFacts, line: number): Promise<boolean> {
    const { around, name } = this.restore;
    if (!around) return true;
    if (this.#part === "tables" && bringsRows(facts)) await this.#begin(around, line);
    else if (this.#part === "rows") {
      // pg_dump --disable-triggers; they are disabled, and the code of the data must not be enabled yet.
      if (/^ALTER TABLE\b.*\b(?:DISABLE|ENABLE)\s+TRIGGER\b/is.test(facts.excerpt)) return false;
      if (!belongsToRows(facts)) {
        this.#rest = `${facts.excerpt.slice(0, 60)} (line ${line})`;
        await this.#finish(around);
      }
    } else if (this.#part === "rest" && (facts.action === "copy" || facts.action === "insert")) {
      throw new AgentError(
        `${name} has rows of ${facts.name ?? "a table"} (line ${line}) after ${this.#rest} began; masks need all rows after all tables and before everything else, as pg_dump writes them: dump again with pg_dump`,
      );
    }
    return true;
  }

  /** Call it at the end of the dump. */
  async end(): Promise<void> {
    const { around } = this.restore;
    if (around && this.#part === "tables") await this.#begin(around, 0);
    if (around && this.#part === "rows") await this.#finish(around);
  }

  async #begin(around: Around, line: number): Promise<void> {
    const { client, name } = this.restore;
    this.#stopIfFailed();
    const { rows } = await client.query<{ open: boolean }>(
      "SELECT pg_catalog.pg_current_xact_id_if_assigned() IS NOT NULL AS open",
    );
    if (rows[0]?.open === true)
      throw new AgentError(
        `${name} creates its tables in a transaction that has not ended where their rows begin (line ${line}), so masks cannot be applied before the rest; remove its BEGIN, or dump again with pg_dump`,
      );
    await around.beforeRows();
    this.#part = "rows";
  }

  async #finish(around: Around): Promise<void> {
    this.#stopIfFailed();
    // The counters of rows, which masks are planned by.
    await this.restore.client.query("SELECT pg_catalog.pg_stat_force_next_flush()");
    await around.afterRows();
    this.#part = "rest";
  }

  #stopIfFailed(): void {
    if (this.restore.recorder.log.failed) throw new StoppedAtRows();
  }
}

/** The call of a function that fills a large object, which exists before the tables, or a sequence. */
const isRestoringCall =
  /^SELECT\s+(?:pg_catalog\s*\.\s*)?(?:lo_open|lo_close|lo_from_bytea|lo_put|lowrite|setval)\s*\(/i;

function bringsRows({ action, excerpt }: StatementFacts): boolean {
  return action === "copy" || action === "insert" || isRestoringCall.test(excerpt);
}

function belongsToRows(facts: StatementFacts): boolean {
  const { action, object = "", excerpt } = facts;
  return (
    bringsRows(facts) ||
    action === "set" ||
    object.startsWith("LARGE OBJECT") ||
    /^(?:BEGIN|COMMIT|START TRANSACTION|END)\b/i.test(excerpt)
  );
}
