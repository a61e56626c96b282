import path from "node:path";
import { z } from "zod";

/** Mount point of the scratch container's volume, in both containers; the agent can only read it. */
export const scratchFolder = "/var/lib/scratch";

/** Unix socket on which the scratch container takes requests, a line of JSON each. */
export const controlSocket = path.join(scratchFolder, "control");

/** Largest request or answer, in bytes: configuration files and a server log. */
export const maxMessageBytes = 64 * 2 ** 20;

/** Files by their absolute path in PostgreSQL's data folder, as base64. */
const filesSchema = z.record(z.string().regex(/^\/[^\0]+$/), z.base64());

/** Parameters by name. */
const parametersSchema = z.record(z.string().regex(/^[a-z][a-z0-9_]*$/), z.string());

/** What the agent asks of the scratch container. */
export const scratchRequestSchema = z.discriminatedUnion("task", [
  /** Reads a `pg_hba.conf`, and with it a `pg_ident.conf`. */
  z.strictObject({
    task: z.literal("check rules"),
    files: filesSchema,
    file: z.string(),
    maps: z.string().optional(),
  }),
  /** Starts PostgreSQL with a main configuration file. */
  z.strictObject({ task: z.literal("try configuration"), files: filesSchema, file: z.string() }),
  /** Runs an empty server as long as the connection stays open. */
  z.strictObject({ task: z.literal("run server"), parameters: parametersSchema }),
]);
export type ScratchRequest = z.infer<typeof scratchRequestSchema>;

/** The scratch container's answer. */
export const scratchAnswerSchema = z.strictObject({
  /** Why the task was impossible; `null` when it was done. */
  failure: z.string().nullable(),
  /** `check rules`: what `COPY … TO STDOUT` wrote. */
  stdout: z.string().default(""),
  /** `check rules` and `try configuration`: the server log. */
  stderr: z.string().default(""),
  /** `try configuration`: whether PostgreSQL accepted connections. */
  started: z.boolean().default(false),
  /** `try configuration`: why PostgreSQL rejected a connection; `null` when it did not. */
  rejection: z.string().nullable().default(null),
  /** `try configuration`: how PostgreSQL ended when it did not start. */
  exit: z.string().default(""),
});
export type ScratchAnswer = z.infer<typeof scratchAnswerSchema>;
