/** A table's name as text. Names with dots may give the same text: counts by it are sums. */
export function tableKey({ schema, name }: { schema: string; name: string }): string {
  return `${schema}.${name}`;
}

/** Partitions between which rows may move, by {@link tableKey}, with the tables whose partitions they are. */
export type PartitionRoots = ReadonlyMap<
  string,
  { readonly schema: string; readonly name: string }
>;

/** Rows of tables by {@link tableKey}. */
export function sumRows(
  tables: Iterable<{ readonly schema: string; readonly name: string; readonly rows: number }>,
): Map<string, number> {
  const sums = new Map<string, number>();
  for (const table of tables)
    sums.set(tableKey(table), (sums.get(tableKey(table)) ?? 0) + table.rows);
  return sums;
}
