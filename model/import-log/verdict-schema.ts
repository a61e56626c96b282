import { z } from "zod";
import { importEventSchema } from "./event";

/** The judgement over one import. `passed with notes`: complete, and something a person should know. */
export const outcomeSchema = z.enum(["passed", "passed with notes", "failed"]);

/** Something that made an import fail, with all that follows from it. */
export const causeSchema = z.object({
  event: importEventSchema,
  /** How many further messages follow from it. */
  consequences: z.number().int().nonnegative(),
  /** The first few of them. */
  examples: z.array(importEventSchema),
  fix: z.string().optional(),
});
export type Cause = z.infer<typeof causeSchema>;

/** Messages of one kind that are harmless or good to know, counted together. */
export const noteSchema = z.object({
  text: z.string(),
  count: z.number().int().positive(),
  examples: z.array(importEventSchema),
});
export type Note = z.infer<typeof noteSchema>;

/** Rows of one table: what the dump holds and what is in the database afterwards. */
export const tableRowsSchema = z.object({
  table: z.string(),
  /** Rows in the dump's COPY blocks or INSERT statements; `null` where the dump does not tell (archives). */
  expected: z.number().int().nonnegative().nullable(),
  /** Rows in the database; `null` when the table is not there. */
  found: z.number().int().nonnegative().nullable(),
});
export type TableRows = z.infer<typeof tableRowsSchema>;

/** What became of a role that the dump names. */
export const roleReportSchema = z.object({
  role: z.string(),
  /** `known`: this server has it. */
  choice: z.enum(["known", "created without login", "left out"]),
  /** Objects it owned in the dump that belong to the database's owner here. */
  objects: z.number().int().nonnegative(),
  /** Grants and default privileges that were left out because the role is not here. */
  grants: z.number().int().nonnegative(),
});
export type RoleReport = z.infer<typeof roleReportSchema>;

/** The verdict over one import log, as the agent keeps it. */
export const verdictSchema = z.object({
  outcome: outcomeSchema,
  /** Messages by where they came from. */
  messages: z.object({
    all: z.number().int().nonnegative(),
    prelude: z.number().int().nonnegative(),
    harmless: z.number().int().nonnegative(),
  }),
  /** The first hundred. */
  causes: z.array(causeSchema),
  /** How many causes there are besides; the full log has them. */
  furtherCauses: z.number().int().nonnegative(),
  notes: z.array(noteSchema),
  rows: z.array(tableRowsSchema),
  roles: z.array(roleReportSchema),
});
export type Verdict = z.infer<typeof verdictSchema>;
