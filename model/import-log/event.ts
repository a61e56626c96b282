import { z } from "zod";

/** How bad a message is. A WARNING is always of PostgreSQL itself: what client programs warn of counts as ERROR. */
export const severitySchema = z.enum(["WARNING", "ERROR", "FATAL"]);

/** The part of a dump a message came from. The prelude is the DROP part at the head of a `pg_dump --clean` file. */
export const phaseSchema = z.enum(["prelude", "schema", "data", "post-data"]);
export type Phase = z.infer<typeof phaseSchema>;

/** One message of an import: what PostgreSQL or pg_restore said, and about which statement. */
export const importEventSchema = z.object({
  severity: severitySchema,
  /** SQLSTATE, five characters (PostgreSQL manual, appendix A); absent where a client program speaks, not the server. */
  sqlstate: z.string().length(5).optional(),
  phase: phaseSchema,
  message: z.string(),
  detail: z.string().optional(),
  hint: z.string().optional(),
  /** The server's context, e.g. `COPY im_notes, line 88112, column note: "…"`. */
  context: z.string().optional(),
  /** What the statement was about, e.g. `TABLE public.users`. */
  object: z.string().optional(),
  /** The beginning of the statement. */
  statement: z.string(),
  /** Line of the dump, from 1; absent for archives. */
  line: z.number().int().positive().optional(),
});
export type ImportEvent = z.infer<typeof importEventSchema>;
