/** Puts tables behind those that they refer to, as far as they do not refer to each other in a circle; else as they come. */
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
