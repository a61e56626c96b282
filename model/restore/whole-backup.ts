import { z } from "zod";

/** Most entries of a list: Pulumi's command plugin accepts no line over 64 KiB. */
const mostEntries = 40;
/** Most names in a line. */
const mostNames = 150;
/** Longest entry, in characters. */
const longestEntry = 200;

/** Result for one of the other databases of a backup. */
export const otherDatabaseSchema = z.strictObject({
  database: z.string(),
  result: z.enum(["restored", "failed"]),
  /** One line: the verdict, or the cause of the failure. */
  text: z.string(),
  /** Name of its log, for `stagecraft log`. */
  log: z.string().optional(),
});
export type OtherDatabase = z.infer<typeof otherDatabaseSchema>;

/** What a recovery restored of a backup besides the stack's own database, and what it did not. */
export const wholeBackupSchema = z.strictObject({
  /** The databases that were missing. */
  databases: z.array(otherDatabaseSchema),
  /** Roles that differ from those of the backup, a sentence each, with the statement that gives back what is missing. */
  roles: z.array(z.string()),
  /** Parameters of the server and its databases, and access rules, of the backup that the server lacks, a sentence each. */
  differences: z.array(z.string()),
});
export type WholeBackup = z.infer<typeof wholeBackupSchema>;

/** The result for stdout: of long lists the beginning, and how many entries follow; failures come first. */
export function shortenWholeBackup({ databases, roles, differences }: WholeBackup): WholeBackup {
  const failed = databases.filter(({ result }) => result === "failed");
  const restored = databases.filter(({ result }) => result === "restored");
  return {
    databases: [...failed, ...restored]
      .slice(0, mostEntries)
      .map((one) => ({ ...one, text: short(one.text) })),
    roles: firstOf(roles),
    differences: firstOf(differences),
  };
}

/** What is printed of it below the line of the stack's own database. */
export function wholeBackupLines(server: string, whole: WholeBackup): string[] {
  const { databases, roles, differences } = shortenWholeBackup(whole);
  const failed = databases.filter(({ result }) => result === "failed");
  const others = whole.databases.filter(
    (one) => !databases.some(({ database }) => database === one.database),
  );
  return [
    ...databases.map(({ database, result, text }) =>
      result === "restored" ? `${database} ← ${text}` : `${database} is still missing: ${text}`,
    ),
    ...namesLines("also restored", others, "restored"),
    ...namesLines("also still missing", others, "failed"),
    ...(failed.length === 0
      ? []
      : [`  to try again: npx stagecraft recover ${server}, after the cause is corrected`]),
    ...roles.map((text) => `  role      ${text}`),
    ...differences.map((text) => `  differs   ${text}`),
  ];
}

/** Names of the databases for which there is no line of their own. */
function namesLines(
  text: string,
  databases: readonly OtherDatabase[],
  wanted: OtherDatabase["result"],
): string[] {
  const names = databases.filter(({ result }) => result === wanted).map(({ database }) => database);
  if (names.length === 0) return [];
  const shown = names.slice(0, mostNames);
  const more = names.length - shown.length;
  return [`${text}: ${shown.join(", ")}${more > 0 ? ` and ${more} more` : ""}`];
}

function firstOf(entries: readonly string[]): string[] {
  const shown = entries.slice(0, mostEntries).map(short);
  const more = entries.length - shown.length;
  return more > 0 ? [...shown, `and ${more} more`] : shown;
}

function short(text: string): string {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length > longestEntry ? `${line.slice(0, longestEntry - 1)}…` : line;
}
