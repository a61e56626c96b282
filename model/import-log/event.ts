import { z } from "zod";

/** Severity of a message. WARNING is used only for PostgreSQL's warnings; those of client programs count as ERROR. */
export const severitySchema = z.enum(["WARNING", "ERROR", "FATAL"]);

/** The part of a dump that a message is about. The prelude is the DROP part at the beginning of a `pg_dump --clean` file. */
export const phaseSchema = z.enum(["prelude", "schema", "data", "post-data"]);
export type Phase = z.infer<typeof phaseSchema>;

/** A message of PostgreSQL or pg_restore during an import, with the statement it is about. */
export const importEventSchema = z.object({
  severity: severitySchema,
  /** SQLSTATE, five characters (PostgreSQL manual, appendix A); absent for messages of client programs. */
  sqlstate: z.string().length(5).optional(),
  phase: phaseSchema,
  message: z.string(),
  detail: z.string().optional(),
  hint: z.string().optional(),
  /** The server's context, e.g. `COPY im_notes, line 88112, column note: "…"`. */
  context: z.string().optional(),
  /** The object of the statement, e.g. `TABLE public.users`. */
  object: z.string().optional(),
  /** The beginning of the statement. */
  statement: z.string(),
  /** Line of the dump, from 1; absent for archives. */
  line: z.number().int().positive().optional(),
});
export type ImportEvent = z.infer<typeof importEventSchema>;
