/**
 * Name of the file in a backup that lists the columns of a dump, as the gzipped JSON of a `MaskCatalogue`. With it, a
 * preview compares masks with columns without reading the data.
 */
export function columnsFile(dump: string): string {
  return `${dump.replace(/^pg_dump\b/, "columns")}.json.gz`;
}
