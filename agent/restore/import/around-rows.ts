import type { KeyStatements } from "../../../model/dump/key-statements";

/** What has to be done around the rows of a dump, e.g. masking them. */
export interface AroundRows {
  /** Called when the tables exist and are empty, with the dump's keys. */
  readonly beforeRows: (keys: KeyStatements) => Promise<void>;
  /** Called when all rows are there, and nothing that comes after them: indexes, constraints, triggers. */
  readonly afterRows: () => Promise<void>;
}

/** The same, with the keys of a dump. */
export interface Around {
  readonly beforeRows: () => Promise<void>;
  readonly afterRows: () => Promise<void>;
}
