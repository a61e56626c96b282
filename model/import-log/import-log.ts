import type { StatementFacts } from "../dump/statement";
import { formatCount, plural } from "../base/units";
import { Consequences } from "./consequences";
import type { ImportEvent } from "./event";
import { fixFor } from "./fixes";
import { knownMessage, missingRole } from "./rules";
import type { Cause, Note, RoleReport, TableRows, Verdict } from "./verdict-schema";

/** Messages kept of each cause and note; the full log has them all. */
const keptExamples = 3;

/** Causes kept in full; a dump of another system can bring forth thousands. */
const keptCauses = 100;

/** What is in the database after the import. */
export interface FoundTable {
  /** Rows; `null` when the table is not there. */
  readonly rows: number | null;
  /** It belongs to an extension, which may bring rows of its own. */
  readonly ofExtension?: boolean;
}

/** Collects what happens in one import and judges it. Pure: the same calls give the same verdict. */
export class ImportLog {
  #all = 0;
  #prelude = 0;
  #harmless = 0;
  readonly #causes: MutableCause[] = [];
  readonly #notes = new Map<string, MutableNote>();
  readonly #expected = new Map<string, number | null>();
  readonly #roles = new Map<
    string,
    { choice: RoleReport["choice"]; objects: number; grants: number }
  >();
  readonly #consequences = new Consequences<MutableCause>();
  #furtherCauses = 0;

  /** `tell` makes of a message what may be kept of it. */
  constructor(private readonly tell: (event: ImportEvent) => ImportEvent = (event) => event) {}

  /** Takes a message and says what it is. */
  message(
    event: ImportEvent,
    statement: StatementFacts,
  ): "harmless" | "note" | "cause" | "consequence" {
    this.#all++;
    if (event.phase === "prelude") this.#prelude++;
    const known = knownMessage(event, statement);
    if (known) {
      if (known.kind === "harmless") this.#harmless++;
      else this.#note(known.text, event);
      const role = missingRole(event);
      if (role !== undefined) this.role(role, "left out").grants++;
      return known.kind;
    }
    const root = this.#consequences.rootOf(event);
    if (root) {
      root.consequences++;
      if (root.examples.length < keptExamples) root.examples.push(this.tell(event));
    }
    const cause = root ?? this.#cause(event, fixFor(event, statement));
    this.#consequences.add(event, statement, cause);
    return root ? "consequence" : "cause";
  }

  /** Notes rows of a table that the dump holds; `null` when it holds rows and does not tell how many. */
  expectRows(table: string, rows: number | null): void {
    const before = this.#expected.get(table);
    this.#expected.set(table, rows === null || before === null ? null : (before ?? 0) + rows);
  }

  /** How many rows a table has for sure, as a backup's manifest tells, whatever the dump itself says. */
  knowRows(table: string, rows: number): void {
    this.#expected.set(table, rows);
  }

  /** What became of a role that the dump names; the counts in it may be raised. */
  role(name: string, choice: RoleReport["choice"]): { objects: number; grants: number } {
    const known = this.#roles.get(name) ?? { choice, objects: 0, grants: 0 };
    this.#roles.set(name, known);
    return known;
  }

  /** The tables whose rows are to be counted in the database. */
  get tables(): readonly string[] {
    return [...this.#expected.keys()];
  }

  /** True as soon as the import cannot pass any more. */
  get failed(): boolean {
    return this.#causes.length > 0;
  }

  /** Judges the import; `found` tells of each of {@link tables} what is in the database, and is absent when it could not be read. */
  verdict(found?: ReadonlyMap<string, FoundTable>): Verdict {
    const rows = found ? this.#compare(found) : [];
    const roles = [...this.#roles].map(([role, report]) => ({ role, ...report }));
    const causes = this.#causes.map(({ fix, ...cause }): Cause => ({
      ...cause,
      ...(fix === undefined ? {} : { fix }),
    }));
    const notes: Note[] = [...this.#notes].map(([text, note]) => ({ text, ...note }));
    const leftOut = roles.some(({ choice }) => choice !== "known");
    return {
      outcome:
        causes.length > 0 ? "failed" : this.#all > 0 || leftOut ? "passed with notes" : "passed",
      messages: { all: this.#all, prelude: this.#prelude, harmless: this.#harmless },
      causes,
      furtherCauses: this.#furtherCauses,
      notes,
      rows,
      roles,
    };
  }

  #compare(found: ReadonlyMap<string, FoundTable>): TableRows[] {
    const rows: TableRows[] = [];
    for (const [table, expected] of this.#expected) {
      const { rows: present = null, ofExtension = false } = found.get(table) ?? {};
      rows.push({ table, expected, found: present });
      const complete =
        present !== null &&
        (expected === null || present === expected || (ofExtension && present > expected));
      if (!complete && !this.#consequences.rootOfTable(table)) {
        const is =
          present === null
            ? "is not in the database"
            : `has ${plural(present, "row")} in the database`;
        const event: ImportEvent = {
          severity: "ERROR",
          phase: "data",
          message: `table ${table} ${is}, ${expected === null ? "some" : formatCount(expected)} in the dump`,
          object: `TABLE ${table}`,
          statement: "",
        };
        this.#cause(event, "take the dump again and compare; report it if it comes again");
      }
    }
    return rows;
  }

  #cause(event: ImportEvent, fix: string | undefined): MutableCause {
    const cause: MutableCause = { event: this.tell(event), consequences: 0, examples: [], fix };
    if (this.#causes.length < keptCauses) this.#causes.push(cause);
    else this.#furtherCauses++;
    return cause;
  }

  #note(text: string, event: ImportEvent): void {
    const note = this.#notes.get(text) ?? { count: 0, examples: [] };
    this.#notes.set(text, note);
    note.count++;
    if (note.examples.length < keptExamples) note.examples.push(this.tell(event));
  }
}

interface MutableCause {
  readonly event: ImportEvent;
  consequences: number;
  readonly examples: ImportEvent[];
  readonly fix: string | undefined;
}

interface MutableNote {
  count: number;
  readonly examples: ImportEvent[];
}
