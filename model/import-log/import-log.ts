import type { StatementFacts } from "../dump/statement";
import { tableKey, type PartitionRoots } from "../base/table-key";
import { formatCount, plural } from "../base/units";
import { Consequences } from "./consequences";
import type { ImportEvent } from "./event";
import { fixFor, type DumpVersions } from "./fixes";
import { knownMessage, missingRole, unreachableView } from "./known-messages";
import type { Cause, Note, RoleReport, TableRows, Verdict } from "./verdict-schema";

/** Messages stored per cause and note; the full log has all of them. */
const maxExamples = 3;

/** Causes stored in full; a dump of another system can have thousands. */
const maxCauses = 100;

/** A table of the dump, as found in the database after the import. */
export interface ImportedTable {
  /** Number of rows; `null` when the table does not exist. */
  readonly rows: number | null;
  /** Whether it belongs to an extension, which may add rows. @default false */
  readonly ofExtension?: boolean;
  /** Whether it has partitions on other servers, whose rows were not counted. @default false */
  readonly hasForeignRows?: boolean;
}

/** Collects the messages and row counts of an import and derives the verdict. Pure: the same calls give the same verdict. */
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
  /** Tables with a trigger or rule that was created before their rows came. */
  readonly #runningCode = new Set<string>();
  #versions: DumpVersions = {};

  /**
   * @param redact removes what must not be stored from a message
   * @param fix the fix for a message, where it has another one than {@link fixFor}
   * @param unreachableViews whether a materialized view fails the import if the server of its data cannot be reached
   */
  constructor(
    private readonly redact: (event: ImportEvent) => ImportEvent = (event) => event,
    private readonly fix: (event: ImportEvent) => string | undefined = () => undefined,
    private readonly unreachableViews: "fail" | "leave empty" = "fail",
  ) {}

  /** Adds a message and returns its classification. */
  message(
    event: ImportEvent,
    statement: StatementFacts,
  ): "harmless" | "note" | "cause" | "consequence" {
    this.#all++;
    if (event.phase === "prelude") this.#prelude++;
    const known =
      knownMessage(event, statement) ??
      (this.unreachableViews === "leave empty" ? unreachableView(event) : undefined);
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
      if (root.examples.length < maxExamples) root.examples.push(this.redact(event));
    }
    const cause =
      root ?? this.#cause(event, this.fix(event) ?? fixFor(event, statement, this.#versions));
    this.#consequences.add(event, statement, cause);
    return root ? "consequence" : "cause";
  }

  /** Adds a note that is about no message of PostgreSQL. */
  note(text: string): void {
    const note = this.#notes.get(text) ?? { count: 0, examples: [] };
    this.#notes.set(text, note);
    note.count++;
  }

  /** Adds rows of a table in the dump; `null` for an unknown number of rows. */
  expectRows(table: string, rows: number | null): void {
    const before = this.#expected.get(table);
    this.#expected.set(table, rows === null || before === null ? null : (before ?? 0) + rows);
  }

  /** Sets the exact number of rows of a table, as in a backup's manifest; overrides {@link expectRows}. */
  setExpectedRows(table: string, rows: number): void {
    this.#expected.set(table, rows);
  }

  /** Records that a table has a trigger or rule which runs for the rows that come from now on. */
  runsCode(table: string): void {
    this.#runningCode.add(table);
  }

  /** Records the major version of PostgreSQL or pg_dump that a dump names; of several the oldest counts. */
  dumpedWith(major: number): void {
    const { dump = major } = this.#versions;
    this.#versions = { ...this.#versions, dump: Math.min(dump, major) };
  }

  /** Records the major version of the server. */
  restoredOn(major: number): void {
    this.#versions = { ...this.#versions, server: major };
  }

  /** Moves the expected rows of partitions to their table, because rows may have moved between them. */
  expectInRoots(roots: PartitionRoots): void {
    for (const [table, rows] of [...this.#expected]) {
      const root = roots.get(table);
      if (root === undefined) continue;
      this.#expected.delete(table);
      this.expectRows(tableKey(root), rows);
    }
  }

  /** Records the handling of a role in the dump; the caller can increase the returned counts. */
  role(name: string, choice: RoleReport["choice"]): { objects: number; grants: number } {
    const known = this.#roles.get(name) ?? { choice, objects: 0, grants: 0 };
    this.#roles.set(name, known);
    return known;
  }

  /** The tables whose rows must be counted in the database. */
  get tables(): readonly string[] {
    return [...this.#expected.keys()];
  }

  /** True once the import has failed. */
  get failed(): boolean {
    return this.#causes.length > 0;
  }

  /**
   * The verdict.
   *
   * @param found each of {@link tables} as found in the database; omitted when the database could not be read
   * @param onIncomplete called with each table whose rows are not as in the dump
   */
  verdict(
    found?: ReadonlyMap<string, ImportedTable>,
    onIncomplete: (event: ImportEvent) => void = () => undefined,
  ): Verdict {
    const rows = found ? this.#compare(found, onIncomplete) : [];
    for (const [table, { hasForeignRows = false }] of found ?? [])
      if (hasForeignRows)
        this.note(`partitions of ${table} that are foreign tables were not counted`);
    const roles = [...this.#roles].map(([role, report]) => ({ role, ...report }));
    const causes = this.#causes.map(({ fix, ...cause }): Cause => ({
      ...cause,
      ...(fix === undefined ? {} : { fix }),
    }));
    const notes: Note[] = [...this.#notes].map(([text, note]) => ({ text, ...note }));
    const hasSkippedRoles = roles.some(({ choice }) => choice !== "known");
    return {
      outcome:
        causes.length > 0
          ? "failed"
          : this.#all > 0 || hasSkippedRoles || notes.length > 0
            ? "passed with notes"
            : "passed",
      messages: { all: this.#all, prelude: this.#prelude, harmless: this.#harmless },
      causes,
      furtherCauses: this.#furtherCauses,
      notes,
      rows,
      roles,
    };
  }

  #compare(
    found: ReadonlyMap<string, ImportedTable>,
    onIncomplete: (event: ImportEvent) => void,
  ): TableRows[] {
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
        onIncomplete(event);
        this.#cause(
          event,
          this.#runningCode.has(table)
            ? "a trigger or rule of the table was created before its rows, and so ran for each of them; pg_dump writes triggers and rules behind the rows: dump the database in one"
            : "dump again and compare; report a bug if it happens again",
        );
      }
    }
    return rows;
  }

  #cause(event: ImportEvent, fix: string | undefined): MutableCause {
    const cause: MutableCause = { event: this.redact(event), consequences: 0, examples: [], fix };
    if (this.#causes.length < maxCauses) this.#causes.push(cause);
    else this.#furtherCauses++;
    return cause;
  }

  #note(text: string, event: ImportEvent): void {
    const note = this.#notes.get(text) ?? { count: 0, examples: [] };
    this.#notes.set(text, note);
    note.count++;
    if (note.examples.length < maxExamples) note.examples.push(this.redact(event));
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
