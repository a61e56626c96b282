import path from "node:path";
import { z } from "zod";
import { plural } from "../../../model/base/units";
import { AgentError } from "../../system/errors";
import { currentConnection, isExternal } from "../../postgres/external-connection";
import { askScratch } from "../../postgres/scratch/client";
import { dataFolder } from "../parameters/config-files";
import { readConfigurationFiles } from "../parameters/data-folder-files";
import { withServerAddresses } from "./radius-servers";
import { lineErrorsOfLog, unexplained, type LineError } from "./rule-errors";

/** Rejected lines shown in the message. */
const maxLines = 10;

/** `pg_hba_file_rules` (PostgreSQL manual, 53.2); `file_name` came with PostgreSQL 16. */
const rejectedLineSchema = z.object({
  line_number: z.number(),
  file_name: z.string().optional(),
  error: z.string().nullable(),
});

const answerSchema = z.object({
  rules: z.number(),
  rejected: z.array(rejectedLineSchema).nullable(),
  maps: z.array(rejectedLineSchema).nullable(),
});

/** The candidate's path during the check: beside the server's files, which it may include. */
const candidate = path.join(dataFolder, "pg_hba.conf.candidate");
const mapsCandidate = path.join(dataFolder, "pg_ident.conf.candidate");

/**
 * Lets a PostgreSQL in the scratch container read new rules. Throws an {@link AgentError} with the lines that it rejects.
 *
 * @param text The new `pg_hba.conf`
 * @param maps The new `pg_ident.conf`
 */
export async function requireValidRules(
  text: string,
  server: string,
  maps?: string,
): Promise<void> {
  const problem = await rejectionOf(text, maps);
  if (problem !== undefined)
    throw new AgentError(`pg_hba of ${server} was not changed: ${problem}`);
}

/** Why a PostgreSQL in the scratch container rejects rules; `undefined` when it accepts them. */
export async function rejectionOf(text: string, maps?: string): Promise<string | undefined> {
  const files = isExternal ? {} : await readConfigurationFiles();
  if (maps !== undefined) files[mapsCandidate] = Buffer.from(maps).toString("base64");
  files[candidate] = Buffer.from(await withServerAddresses(text)).toString("base64");
  const { stdout, stderr } = await askScratch({
    ...{ task: "check rules", files, file: candidate },
    ...(maps !== undefined && { maps: mapsCandidate }),
  });
  if (!stdout.startsWith("{")) return `PostgreSQL cannot read it: ${stderr.trim()}`;
  // COPY writes each backslash twice.
  const answer = answerSchema.parse(JSON.parse(stdout.replaceAll("\\\\", "\\")));
  const rejected = (answer.rejected ?? []).filter(({ error }) => !isOfNewerVersion(error));
  if (rejected.length > 0) return rejectionText(explained(rejected, stderr));
  if (answer.maps) return rejectionText(explained(answer.maps, stderr), "pgHba.maps");
  if (answer.rules > 0) return undefined;
  return `it has no rule, so no one could connect; it needs at least: local all postgres peer`;
}

/** Whether an external server accepts what the scratch container's older PostgreSQL does not know. */
function isOfNewerVersion(error: string | null): boolean {
  const major = currentConnection()?.major ?? 0;
  return major >= 18 && error === 'invalid authentication method "oauth"';
}

/** Adds the errors that PostgreSQL only logs. */
function explained(
  rejected: readonly z.infer<typeof rejectedLineSchema>[],
  log: string,
): readonly LineError[] {
  const logged = lineErrorsOfLog(log);
  return rejected.map(({ line_number: line, file_name: file, error }) => {
    const found = logged.find((other) => other.line === line && other.file === (file ?? candidate));
    return { line, file, error: error ?? found?.error ?? unexplained };
  });
}

function rejectionText(rejected: readonly LineError[], of = "the rules of pgHba"): string {
  const lines = rejected.slice(0, maxLines).map(({ line, file, error }) => {
    const where =
      file === undefined || file === candidate || file === mapsCandidate ? "" : ` of ${file}`;
    return `  line ${line}${where}   ${error}`;
  });
  const more = rejected.length - lines.length;
  return [
    `PostgreSQL rejects ${plural(rejected.length, "line")}`,
    ...lines,
    ...(more > 0 ? [`  and ${more} more`] : []),
    `  fix      correct ${of} in the stack file`,
  ].join("\n");
}
