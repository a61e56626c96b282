import { text } from "node:stream/consumers";
import type { z } from "zod";
import type { JobResult } from "../../model/backup/protocol";
import type { Area } from "../../model/observation/observation";
import type { RestoreResult } from "../../model/restore/protocol";
import { AgentError, messageOf } from "../system/errors";

/** The server that this agent belongs to. */
export const server = process.env.STAGECRAFT_SERVER ?? "";

/** The request on stdin. One that is meant for another server is refused, whatever it asks for. */
export async function request<T extends { readonly server: string }>(
  schema: z.ZodType<T>,
): Promise<T> {
  const asked = await check(schema, parseJson(await text(process.stdin)));
  if (asked.server === server) return asked;
  throw new AgentError(
    `the request is for server ${asked.server}, this is ${server}; check the names of the containers`,
  );
}

/** What is as the schema says; raises an {@link AgentError} with all that is not. */
export async function check<T>(schema: z.ZodType<T>, value: unknown): Promise<T> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const { prettifyError } = await import("zod");
  throw new AgentError(`the request does not fit this agent:\n${prettifyError(parsed.error)}`);
}

/** One JSON line on stdout. */
export function answer(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

/** Tells people of a failure, beside the answer and by the exit status. */
export function fail(text: string): void {
  process.stderr.write(`${text}\n`);
  process.exitCode = 1;
}

/** What became of a job. */
export function answerJob(result: JobResult): void {
  if (!result.succeeded) fail(result.text);
  answer(result);
}

/** What became of a restore. */
export async function answerRestore(result: RestoreResult): Promise<void> {
  const { summaryOf } = await import("../../model/restore/summary.js");
  if (result.result === "failed") fail(result.text);
  // The report with its verdict stays with the agent: a line of many tables would be too long for Pulumi's command.
  const summary = result.prepared && summaryOf(result.prepared);
  answer({ ...result, verdict: undefined, prepared: undefined, summary });
}

/** Keeps which generation of an area is in force, for the next observation. */
export async function keepGeneration(area: Area, generation: string | undefined): Promise<void> {
  const { keepGeneration: keep } = await import("../server/generations.js");
  await keep(area, generation);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new AgentError(`the request is not JSON: ${messageOf(error)}`, { cause: error });
  }
}
