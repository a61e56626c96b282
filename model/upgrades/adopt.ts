import type { AdoptedEntry } from "./ledger";

/** A row of Flyway's schema history. */
export interface FlywayRow {
  readonly version: string | null;
  readonly type: string;
  readonly script: string;
  readonly success: boolean;
}

/** Converts Flyway's schema history, in the order of installation. Migrations that were undone or deleted later are omitted. Source: Red Gate, Flyway schema history table. */
export function adoptFlyway(rows: readonly FlywayRow[]): AdoptedEntry[] {
  const newest = new Map<string, FlywayRow>();
  for (const row of rows) {
    // Repeatable migrations have no version; SCHEMA records the creation of Flyway's schema.
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

/** Converts the table `schema_migrations` of dbmate or Rails: one row per version, the leading number of a file name. */
export function adoptDbmate(rows: readonly { readonly version: string }[]): AdoptedEntry[] {
  return rows.map(({ version }) => ({ tool: "dbmate", version, succeeded: true }));
}

/** Converts golang-migrate's table: one row, which is dirty if its migration failed halfway. */
export function adoptGolangMigrate(
  rows: readonly { readonly version: string; readonly dirty: boolean }[],
): AdoptedEntry[] {
  return rows.map(({ version, dirty }) => ({
    tool: "golang-migrate",
    version,
    succeeded: !dirty,
  }));
}

/** Converts node-pg-migrate's table: file names without extension, which begin with a timestamp. */
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
