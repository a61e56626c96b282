import path from "node:path";
import { z } from "zod";
import { plural } from "../../../model/base/units";
import { AgentError } from "../../system/errors";
import { isExternal } from "../../postgres/external-connection";
import { askScratch } from "../../postgres/scratch/client";
import { dataFolder } from "../parameters/config-files";
import { readConfigurationFiles } from "../parameters/data-folder-files";

/** Rejected lines shown in the message. */
const maxLines = 10;

/** `pg_hba_file_rules` (PostgreSQL manual, 53.2); `file_name` came with PostgreSQL 16. */
const rejectedLineSchema = z.object({
  line_number: z.number(),
  file_name: z.string().optional(),
  error: z.string(),
});
type RejectedLine = z.infer<typeof rejectedLineSchema>;

const answerSchema = z.object({
  rules: z.number(),
  rejected: z.array(rejectedLineSchema).nullable(),
});

/** The candidate's path during the check: beside the server's files, which it may include. */
const candidate = path.join(dataFolder, "pg_hba.conf.candidate");

/**
 * Lets a PostgreSQL in the scratch container read new rules. Throws an {@link AgentError} with the lines that it rejects.
 *
 * @param text The new `pg_hba.conf`
 */
export async function requireValidRules(text: string, server: string): Promise<void> {
  const files = isExternal ? {} : await readConfigurationFiles();
  files[candidate] = Buffer.from(text).toString("base64");
  const { stdout, stderr } = await askScratch({ task: "check rules", files, file: candidate });
  const head = `pg_hba of ${server} was not changed`;
  if (!stdout.startsWith("{"))
    throw new AgentError(`${head}: PostgreSQL cannot read it: ${stderr.trim()}`);
  // COPY writes each backslash twice.
  const answer = answerSchema.parse(JSON.parse(stdout.replaceAll("\\\\", "\\")));
  const rejected = answer.rejected ?? [];
  if (rejected.length > 0) throw new AgentError(rejectionText(head, rejected));
  if (answer.rules === 0)
    throw new AgentError(
      `${head}: it has no rule, so no one could connect; it needs at least: local all postgres peer`,
    );
}

function rejectionText(head: string, rejected: readonly RejectedLine[]): string {
  const lines = rejected.slice(0, maxLines).map(({ line_number, file_name, error }) => {
    const file = file_name === undefined || file_name === candidate ? "" : ` of ${file_name}`;
    return `  line ${line_number}${file}   ${error}`;
  });
  const more = rejected.length - lines.length;
  return [
    `${head}: PostgreSQL rejects ${plural(rejected.length, "line")}`,
    ...lines,
    ...(more > 0 ? [`  and ${more} more`] : []),
    "  fix      correct the rules of pgHba in the stack file",
  ].join("\n");
}
