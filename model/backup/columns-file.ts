/**
 * The file of a backup that tells which columns a dump has: by it a preview sees what the masks do not fit, without the
 * data. The gzipped JSON of a `MaskCatalogue`.
 */
export function columnsFile(dump: string): string {
  return `${dump.replace(/^pg_dump\b/, "columns")}.json.gz`;
}
