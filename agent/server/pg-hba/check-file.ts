import { z } from "zod";
import { AgentError } from "../../system/errors";
import { runOnScratchCluster } from "../../postgres/scratch-cluster";

/** Lines shown of a file that PostgreSQL refuses. */
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
  refused: z.array(rejectedLineSchema).nullable(),
});

const rulesQuery = `COPY (
  SELECT jsonb_build_object('rules', count(*), 'refused', jsonb_agg(r) FILTER (WHERE error IS NOT NULL))
  FROM pg_hba_file_rules AS r) TO STDOUT`;

/** Has PostgreSQL read a candidate file, on a scratch server. Throws an {@link AgentError} with every refused line. */
export async function checkHbaFile(candidate: string, server: string): Promise<void> {
  // Without TLS a hostssl line would be called an error, though PostgreSQL takes it.
  const settings = ["-c", `hba_file=${candidate}`, "-c", "ssl=on"];
  const { stdout, stderr } = await runOnScratchCluster(settings, rulesQuery);
  const head = `pg_hba of ${server} was not changed`;
  if (!stdout.startsWith("{"))
    throw new AgentError(`${head}: PostgreSQL could not read it: ${stderr.trim()}`);
  // COPY writes each backslash twice.
  const answer = answerSchema.parse(JSON.parse(stdout.replaceAll("\\\\", "\\")));
  const refused = answer.refused ?? [];
  if (refused.length > 0) throw new AgentError(rejectionText(head, candidate, refused));
  if (answer.rules === 0)
    throw new AgentError(
      `${head}: it has no rule, so nobody could connect; the least is: local all postgres peer`,
    );
}

function rejectionText(head: string, candidate: string, refused: readonly RejectedLine[]): string {
  const lines = refused.slice(0, maxLines).map(({ line_number, file_name, error }) => {
    const file = file_name === undefined || file_name === candidate ? "" : ` of ${file_name}`;
    return `  line ${line_number}${file}   ${error}`;
  });
  const more = refused.length - lines.length;
  return [
    `${head}: PostgreSQL refuses ${refused.length === 1 ? "a line" : `${refused.length} lines`} of it`,
    ...lines,
    ...(more > 0 ? [`  and ${more} more`] : []),
    "  fix      correct the rules of pgHba in the stack file",
  ].join("\n");
}
