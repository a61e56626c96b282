/** The table of contents of an archive (`pg_restore --list`) in parts, each for `pg_restore --use-list`. */
export interface ArchiveLists {
  /** Schemas, extensions and the like, which come first and need the superuser. */
  readonly before: string;
  readonly main: string;
  /** Publications and subscriptions, which come before owners change: then the restore role may publish all tables. */
  readonly publications: string;
  /** Event triggers, which come last. */
  readonly eventTriggers: string;
}

const before =
  /^\d+; \d+ \d+ (?:COMMENT - )?(?:SCHEMA|EXTENSION|FOREIGN DATA WRAPPER|PROCEDURAL LANGUAGE|LANGUAGE) /;
const publications = /^\d+; \d+ \d+ (?:COMMENT - )?(?:PUBLICATION|SUBSCRIPTION) /;
const eventTriggers = /^\d+; \d+ \d+ (?:COMMENT - )?EVENT TRIGGER /;

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
    main: part((line) => ![before, publications, eventTriggers].some((each) => each.test(line))),
    publications: part((line) => publications.test(line)),
    eventTriggers: part((line) => eventTriggers.test(line)),
  };
}
