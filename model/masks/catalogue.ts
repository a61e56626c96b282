/** The tables and foreign keys of a database, for masks; read by `agent/prepare/masks/catalogue.ts`. */
export interface MaskCatalogue {
  /** `UTF8`, `LATIN1`, … */
  readonly encoding: string;
  /** All tables, foreign tables and views, without PostgreSQL's and those of extensions. */
  readonly tables: readonly TableFacts[];
  /** All foreign keys, without those that partitions inherit. */
  readonly foreignKeys: readonly ForeignKeyFacts[];
  /** Number of large objects. */
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
  /** PostgreSQL's estimate (`reltuples`); -1 when unknown. */
  readonly rows: number;
  /** Size including indexes and TOAST. */
  readonly bytes: number;
  readonly columns: readonly ColumnFacts[];
  readonly primaryKey: readonly string[];
  readonly uniques: readonly UniqueFacts[];
  /** Columns of the partition key. */
  readonly partitionKey: readonly string[];
}

/** A column. */
export interface ColumnFacts {
  readonly name: string;
  /** In SQL notation, with schema and modifier: `character varying(20)`, `public.email_address`. */
  readonly type: string;
  /** The base type, of the elements for an array: `varchar`, `int4`. */
  readonly base: string;
  /** Type modifier; -1 for none. */
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
  /** All columns that it depends on. */
  readonly columns: readonly string[];
  /** Whether it is just a list of columns, without expressions, condition or exclusion. */
  readonly isPlain: boolean;
}

/** A foreign key. */
export interface ForeignKeyFacts {
  readonly name: string;
  readonly table: number;
  readonly columns: readonly string[];
  readonly referenced: number;
  readonly referencedColumns: readonly string[];
  /** Result of `pg_get_constraintdef`. */
  readonly definition: string;
  readonly comment: string | null;
}
