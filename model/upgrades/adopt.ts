import type { AdoptedEntry } from "./ledger";

/** A row of Flyway's history, in the order in which they were made. */
export interface FlywayRow {
  readonly version: string | null;
  readonly type: string;
  readonly script: string;
  readonly success: boolean;
}

/** Reads Flyway's history (Red Gate, Flyway schema history table): what was undone or deleted afterwards does not count. */
export function adoptFlyway(rows: readonly FlywayRow[]): AdoptedEntry[] {
  const newest = new Map<string, FlywayRow>();
  for (const row of rows) {
    // Repeatable migrations have no version; SCHEMA only says that Flyway made its schema.
    if (row.version !== null && row.type !== "SCHEMA") newest.set(row.version, row);
  }
  return [...newest].flatMap(([version, { type, script, success }]) =>
    type.startsWith("UNDO") || type === "DELETE"
      ? []
      : [
          {
            tool: "flyway" as const,
            version: version.replaceAll("_", "."),
            name: bareName(script),
            succeeded: success,
          },
        ],
  );
}

/** Reads dbmate's table, which Rails has as well: a row for each version, numbers at the head of a file name. */
export function adoptDbmate(rows: readonly { readonly version: string }[]): AdoptedEntry[] {
  return rows.map(({ version }) => ({ tool: "dbmate", version, succeeded: true }));
}

/** Reads golang-migrate's table: one row, which is dirty when its migration failed half-way. */
export function adoptGolangMigrate(
  rows: readonly { readonly version: string; readonly dirty: boolean }[],
): AdoptedEntry[] {
  return rows.map(({ version, dirty }) => ({
    tool: "golang-migrate",
    version,
    succeeded: !dirty,
  }));
}

/** Reads node-pg-migrate's table: names of files without ending, with a moment before the first separator. */
export function adoptNodePgMigrate(rows: readonly { readonly name: string }[]): AdoptedEntry[] {
  return rows.map(({ name }) => {
    const version = /^\d+/.exec(name)?.[0];
    return {
      tool: "node-pg-migrate",
      name: bareName(name),
      succeeded: true,
      ...(version === undefined ? {} : { version }),
    };
  });
}

function bareName(path: string): string {
  return (path.split("/").at(-1) ?? path).replace(/\.(?:sql|js|ts|cjs|mjs)$/, "");
}
