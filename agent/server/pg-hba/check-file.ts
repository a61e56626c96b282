import { z } from "zod";
import { plural } from "../../../model/base/units";
import { AgentError } from "../../system/errors";
import { runOnScratchCluster } from "../../postgres/scratch-cluster";

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

const rulesQuery = `COPY (
  SELECT jsonb_build_object('rules', count(*), 'rejected', jsonb_agg(r) FILTER (WHERE error IS NOT NULL))
  FROM pg_hba_file_rules AS r) TO STDOUT`;

/** Checks a candidate file with a scratch PostgreSQL. Throws an {@link AgentError} with the lines that it rejects. */
export async function checkHbaFile(candidate: string, server: string): Promise<void> {
  // Without TLS, PostgreSQL would report an error for a hostssl line, although it accepts the line.
  const settings = ["-c", `hba_file=${candidate}`, "-c", "ssl=on"];
  const { stdout, stderr } = await runOnScratchCluster(settings, rulesQuery);
  const head = `pg_hba of ${server} was not changed`;
  if (!stdout.startsWith("{"))
    throw new AgentError(`${head}: PostgreSQL cannot read it: ${stderr.trim()}`);
  // COPY writes each backslash twice.
  const answer = answerSchema.parse(JSON.parse(stdout.replaceAll("\\\\", "\\")));
  const rejected = answer.rejected ?? [];
  if (rejected.length > 0) throw new AgentError(rejectionText(head, candidate, rejected));
  if (answer.rules === 0)
    throw new AgentError(
      `${head}: it has no rule, so no one could connect; it needs at least: local all postgres peer`,
    );
}

function rejectionText(head: string, candidate: string, rejected: readonly RejectedLine[]): string {
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
