/** What masks have to know about a database; read by `agent/prepare/masks/catalogue.ts`. */
export interface MaskCatalogue {
  /** `UTF8`, `LATIN1`, … */
  readonly encoding: string;
  /** All tables and what looks like one, but for PostgreSQL's own and those of extensions. */
  readonly tables: readonly TableFacts[];
  /** All foreign keys, but for those that partitions have from their table. */
  readonly foreignKeys: readonly ForeignKeyFacts[];
  /** How many large objects there are. */
  readonly largeObjects: number;
}

/** A table. */
export interface TableFacts {
  readonly id: number;
  readonly schema: string;
  readonly table: string;
  readonly kind: "table" | "partitioned" | "foreign" | "view" | "materialized view";
  /** The tables it is a partition of or inherits from. */
  readonly parents: readonly number[];
  /** As far as PostgreSQL knows; -1 when it does not. */
  readonly rows: number;
  /** With its indexes and TOAST. */
  readonly bytes: number;
  readonly columns: readonly ColumnFacts[];
  readonly primaryKey: readonly string[];
  readonly uniques: readonly UniqueFacts[];
  /** Columns that decide which partition a row belongs to. */
  readonly partitionKey: readonly string[];
}

/** A column. */
export interface ColumnFacts {
  readonly name: string;
  /** As SQL writes it, with schema and modifier: `character varying(20)`, `public.email_address`. */
  readonly type: string;
  /** The type that a domain, or the elements of an array, are in the end made of: `varchar`, `int4`. */
  readonly base: string;
  /** Its modifier, -1 without. */
  readonly modifier: number;
  readonly isArray: boolean;
  /** Values of an enum. */
  readonly labels: readonly string[] | null;
  readonly notNull: boolean;
  readonly isGenerated: boolean;
}

/** A unique index or exclusion constraint. */
export interface UniqueFacts {
  readonly name: string;
  /** All columns it depends on. */
  readonly columns: readonly string[];
  /** Whether it is more than a list of columns: expressions, a condition, an exclusion. */
  readonly isPlain: boolean;
}

/** A foreign key. */
export interface ForeignKeyFacts {
  readonly name: string;
  readonly table: number;
  readonly columns: readonly string[];
  readonly referenced: number;
  readonly referencedColumns: readonly string[];
  /** By `pg_get_constraintdef`. */
  readonly definition: string;
  readonly comment: string | null;
}
