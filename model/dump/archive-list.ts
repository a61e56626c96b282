/** The table of contents of an archive (`pg_restore --list`) in three parts, each for `pg_restore --use-list`. */
export interface ArchiveLists {
  /** Schemas, extensions and the like, which come first and need the superuser. */
  readonly before: string;
  readonly main: string;
  /** Event triggers, publications and subscriptions, which come last. */
  readonly after: string;
}

const before =
  /^\d+; \d+ \d+ (?:COMMENT - )?(?:SCHEMA|EXTENSION|FOREIGN DATA WRAPPER|PROCEDURAL LANGUAGE|LANGUAGE) /;
const after = /^\d+; \d+ \d+ (?:COMMENT - )?(?:EVENT TRIGGER|PUBLICATION|SUBSCRIPTION) /;

/** Entries that only a superuser can restore. */
const superuserEntry =
  /^\d+; \d+ \d+ (?:EXTENSION|FOREIGN DATA WRAPPER|PROCEDURAL LANGUAGE|EVENT TRIGGER|PUBLICATION|SUBSCRIPTION) /;

/** Splits the output of `pg_restore --list`; `undefined` when no entry needs the superuser. */
export function splitArchiveList(list: string): ArchiveLists | undefined {
  const lines = list.split("\n").filter((line) => /^\d+;/.test(line));
  if (!lines.some((line) => superuserEntry.test(line))) return undefined;
  const part = (belongs: (line: string) => boolean): string =>
    lines
      .filter(belongs)
      .map((line) => `${line}\n`)
      .join("");
  return {
    before: part((line) => before.test(line)),
    main: part((line) => !before.test(line) && !after.test(line)),
    after: part((line) => after.test(line)),
  };
}
