import type { DumpMark } from "./dump-marks";
import { strippedProblem, truncatedProblem } from "./format";
import type { StatementFacts } from "./statement";

/** A dump in a file, which can hold several, one behind the other. */
interface Part {
  /** The line that it begins on. */
  readonly line: number;
  tables: number;
  rows: number;
  rest: number;
}

/** What a plain dump consists of. */
export interface DumpContents {
  /** Tables that can have rows. */
  readonly tables: number;
  /** Whether any table has its rows in it, be it none. */
  readonly hasRows: boolean;
  /** Whether it has anything that comes after the rows: keys, indexes, triggers. */
  readonly hasRest: boolean;
}

/**
 * Follows the dumps in a plain file. Each of them must end with its closing line, and together they must be whole: tables,
 * rows, and what comes after them.
 */
export class DumpParts {
  readonly #parts: Part[] = [];
  /** Parts that have begun and not ended. */
  #open = 0;
  #ended = 0;
  /** Whether the line that begins a dump was there. */
  #hasBegun = false;
  /** Whether the open part is known from statements only, which may also come before a dump. */
  #isImplied = false;

  /** Takes a mark. @param line its line */
  mark(mark: DumpMark, line: number): void {
    if (mark === "begin") {
      this.#hasBegun = true;
      if (this.#isImplied) this.#parts.pop();
      else this.#open++;
      this.#begin(line);
    } else {
      this.#ended++;
      this.#isImplied = false;
      // Rows may hold a whole dump as text.
      if (this.#open > 0) this.#open--;
    }
  }

  /** Takes the comment above an object, by its type. Frameworks remove the line that begins a dump. */
  entry(type: string, line: number): void {
    if (this.#open === 0) {
      this.#begin(line);
      this.#open = 1;
    }
    this.#isImplied = false;
    const part = this.#parts.at(-1);
    if (part && type === "TABLE DATA") part.rows++;
  }

  /** Takes a statement. */
  statement(facts: StatementFacts, line: number): void {
    if (this.#parts.length === 0 && this.#ended === 0) {
      this.#begin(line);
      this.#open = 1;
      this.#isImplied = true;
    }
    // What frameworks append is no part of a dump.
    const part = this.#open > 0 ? this.#parts.at(-1) : undefined;
    if (!part) return;
    if (isTable(facts)) part.tables++;
    else if (facts.action === "copy" || facts.action === "insert") part.rows++;
    else if (comesAfterRows(facts)) part.rest++;
  }

  get contents(): DumpContents {
    const sum = (of: "tables" | "rows" | "rest"): number =>
      this.#parts.reduce((all, part) => all + part[of], 0);
    return { tables: sum("tables"), hasRows: sum("rows") > 0, hasRest: sum("rest") > 0 };
  }

  /** Why the file is not whole, with the fix; `undefined` when it is. Call it at its end. @param name the file's name */
  problem(name: string): string | undefined {
    const parts = this.#parts;
    if (this.#ended === 0) return this.#hasBegun ? truncatedProblem(name) : strippedProblem(name);
    if (this.#open > 0) return parts.length > 1 ? cutPart(name, parts) : truncatedProblem(name);
    const { tables, hasRows, hasRest } = this.contents;
    if (parts.length < 2 || tables === 0 || !hasRows || hasRest) return undefined;
    if (parts.some((part) => part.tables > 0 && part.rows > 0)) return undefined;
    return `${name} has the tables in one dump and their rows in another, but nothing that comes after the rows: keys, indexes, triggers; append pg_dump --section=post-data, or dump the database in one`;
  }

  #begin(line: number): void {
    this.#parts.push({ line, tables: 0, rows: 0, rest: 0 });
    this.#isImplied = false;
  }
}

function cutPart(name: string, parts: readonly Part[]): string {
  const lines = parts.map(({ line }) => line).join(", ");
  return `${name} is truncated: ${parts.length} dumps begin in it (lines ${lines}), and not each of them has its closing line "-- PostgreSQL database dump complete"; dump or copy it again`;
}

function isTable({ action, object = "", excerpt }: StatementFacts): boolean {
  return action === "create" && object.startsWith("TABLE ") && !/\bPARTITION BY\b/i.test(excerpt);
}

/** Whether a statement belongs to the section `post-data` of pg_dump. */
function comesAfterRows({ action, object = "", excerpt }: StatementFacts): boolean {
  return action === "create"
    ? /^(?:INDEX|TRIGGER|CONSTRAINT TRIGGER|EVENT TRIGGER|RULE|POLICY|STATISTICS|PUBLICATION|SUBSCRIPTION)\b/.test(
        object,
      )
    : /^ALTER TABLE\b.*\bADD (?:CONSTRAINT|PRIMARY KEY|UNIQUE|FOREIGN KEY|EXCLUDE)\b/i.test(
        excerpt,
      );
}
