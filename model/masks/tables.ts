import type { ColumnFacts, ForeignKeyFacts, MaskCatalogue, TableFacts } from "./catalogue";

/** A column of a table. */
export interface Place {
  readonly table: TableFacts;
  readonly column: ColumnFacts;
}

/** Kinds that hold rows here. */
const holding = new Set<TableFacts["kind"]>(["table", "partitioned"]);

/** Tables with their partitions and heirs: a column belongs to the topmost table that has it. */
export class Tables {
  readonly #byId: ReadonlyMap<number, TableFacts>;
  readonly #children = new Map<number, TableFacts[]>();

  constructor(private readonly catalogue: MaskCatalogue) {
    this.#byId = new Map(catalogue.tables.map((table) => [table.id, table]));
    for (const table of catalogue.tables) {
      for (const parent of table.parents) {
        this.#children.set(parent, [...(this.#children.get(parent) ?? []), table]);
      }
    }
  }

  /** Tables that hold rows of their own: no partitioned ones, no views. */
  get leaves(): TableFacts[] {
    return this.catalogue.tables.filter(({ kind }) => kind === "table");
  }

  /** Every column that a mask can be given to, where it belongs. */
  get owned(): Place[] {
    return this.catalogue.tables
      .filter(({ kind }) => holding.has(kind))
      .flatMap((table) =>
        table.columns
          .map((column) => ({ table, column }))
          .filter(({ column }) => this.owner(table, column.name) === table),
      );
  }

  find(schema: string, table: string): TableFacts | undefined {
    return this.catalogue.tables.find((one) => one.schema === schema && one.table === table);
  }

  get(id: number): TableFacts | undefined {
    return this.#byId.get(id);
  }

  /** The topmost table that a column of this one comes from. */
  owner(table: TableFacts, column: string): TableFacts {
    for (const id of table.parents) {
      const parent = this.#byId.get(id);
      if (parent && hasColumn(parent, column)) return this.owner(parent, column);
    }
    return table;
  }

  /** The table and everything below it. */
  family(table: TableFacts): TableFacts[] {
    const below = this.#children.get(table.id) ?? [];
    return [table, ...below.flatMap((child) => this.family(child))];
  }

  /** The table and everything above it. */
  above(table: TableFacts): TableFacts[] {
    const parents = table.parents.flatMap((id) => this.#byId.get(id) ?? []);
    return [table, ...parents.flatMap((parent) => this.above(parent))];
  }

  /** Pairs of columns that a foreign key makes equal, where they belong. */
  pairs(key: ForeignKeyFacts): { readonly referring: Place; readonly referenced: Place }[] {
    return key.columns.flatMap((column, i) => {
      const referring = this.#place(key.table, column);
      const referenced = this.#place(key.referenced, key.referencedColumns[i] ?? "");
      return referring && referenced ? [{ referring, referenced }] : [];
    });
  }

  #place(id: number, name: string): Place | undefined {
    const table = this.#byId.get(id);
    const owner = table && this.owner(table, name);
    const column = owner?.columns.find((one) => one.name === name);
    return owner && column ? { table: owner, column } : undefined;
  }
}

/** Tells one place from another. */
export function placeKey({ table, column }: Place): string {
  return `${table.id}.${column.name}`;
}

function hasColumn(table: TableFacts, name: string): boolean {
  return table.columns.some((column) => column.name === name);
}
