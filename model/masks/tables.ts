import type { ColumnFacts, ForeignKeyFacts, MaskCatalogue, TableFacts } from "./catalogue";

/** A column of a table. */
export interface TableColumn {
  readonly table: TableFacts;
  readonly column: ColumnFacts;
}

/** Kinds with rows in this database. */
const kindsWithRows = new Set<TableFacts["kind"]>(["table", "partitioned"]);

/** Tables with their partitions and inherited tables. A column belongs to the topmost table that has it. */
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

  /** Tables with their own rows, without partitioned tables and views. */
  get leaves(): TableFacts[] {
    return this.catalogue.tables.filter(({ kind }) => kind === "table");
  }

  /** Every column that can be masked, in the table that it belongs to. */
  get owned(): TableColumn[] {
    return this.catalogue.tables
      .filter(({ kind }) => kindsWithRows.has(kind))
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

  /** The topmost table that a column is inherited from, or the table itself. */
  owner(table: TableFacts, column: string): TableFacts {
    for (const id of table.parents) {
      const parent = this.#byId.get(id);
      if (parent && hasColumn(parent, column)) return this.owner(parent, column);
    }
    return table;
  }

  /** The table and all its descendants. */
  descendants(table: TableFacts): TableFacts[] {
    const children = this.#children.get(table.id) ?? [];
    return [table, ...children.flatMap((child) => this.descendants(child))];
  }

  /** The table and all its ancestors. */
  ancestors(table: TableFacts): TableFacts[] {
    const parents = table.parents.flatMap((id) => this.#byId.get(id) ?? []);
    return [table, ...parents.flatMap((parent) => this.ancestors(parent))];
  }

  /** Pairs of columns of a foreign key, in the tables that they belong to. */
  pairs(
    key: ForeignKeyFacts,
  ): { readonly referring: TableColumn; readonly referenced: TableColumn }[] {
    return key.columns.flatMap((column, i) => {
      const referring = this.#columnOf(key.table, column);
      const referenced = this.#columnOf(key.referenced, key.referencedColumns[i] ?? "");
      return referring && referenced ? [{ referring, referenced }] : [];
    });
  }

  #columnOf(id: number, name: string): TableColumn | undefined {
    const table = this.#byId.get(id);
    const owner = table && this.owner(table, name);
    const column = owner?.columns.find((one) => one.name === name);
    return owner && column ? { table: owner, column } : undefined;
  }
}

/** A unique key of a column. */
export function columnKey({ table, column }: TableColumn): string {
  return `${table.id}.${column.name}`;
}

function hasColumn(table: TableFacts, name: string): boolean {
  return table.columns.some((column) => column.name === name);
}
