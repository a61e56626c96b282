/** Which sections of pg_dump an archive has, by its table of contents. */
export interface ArchiveSections {
  /** Whether it has nothing but rows. */
  readonly isDataOnly: boolean;
  /** Whether any table has its rows in it, be it none. */
  readonly hasRows: boolean;
  /** Whether it has anything that comes after the rows: keys, indexes, triggers. */
  readonly hasRest: boolean;
}

const rows = /^TABLE DATA /;
const data =
  /^(?:TABLE DATA|SEQUENCE SET|BLOBS?|BLOB METADATA|LARGE OBJECTS?|(?:COMMENT|ACL|SECURITY LABEL) - LARGE OBJECTS?) /;
const rest =
  /^(?:INDEX|CONSTRAINT|FK CONSTRAINT|TRIGGER|EVENT TRIGGER|RULE|POLICY|STATISTICS|PUBLICATION|SUBSCRIPTION) /;

/** @param list The output of `pg_restore --list` */
export function archiveSections(list: string): ArchiveSections {
  const entries = [...list.matchAll(/^\d+; \d+ \d+ (.+)$/gm)].map(([, entry = ""]) => entry);
  const hasRows = entries.some((entry) => rows.test(entry));
  return {
    isDataOnly: hasRows && entries.every((entry) => data.test(`${entry} `)),
    hasRows,
    hasRest: entries.some((entry) => rest.test(entry)),
  };
}
