/** Orders tables after the tables that they reference; circular references keep the given order. */
export function orderByReferences(
  tables: readonly string[],
  references: readonly { readonly from: string; readonly to: string }[],
): string[] {
  const ordered: string[] = [];
  const open = new Set<string>();
  const visit = (table: string): void => {
    if (ordered.includes(table) || open.has(table)) return;
    open.add(table);
    for (const { from, to } of references) if (from === table && tables.includes(to)) visit(to);
    open.delete(table);
    ordered.push(table);
  };
  tables.forEach(visit);
  return ordered;
}
