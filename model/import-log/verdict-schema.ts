import { z } from "zod";
import { importEventSchema } from "./event";

/** Outcome of an import. `passed with notes`: complete, with notes for the user. */
export const outcomeSchema = z.enum(["passed", "passed with notes", "failed"]);

/** A cause that made an import fail, with its consequences. */
export const causeSchema = z.object({
  event: importEventSchema,
  /** Number of further messages that are consequences of it. */
  consequences: z.number().int().nonnegative(),
  /** The first few of them. */
  examples: z.array(importEventSchema),
  fix: z.string().optional(),
});
export type Cause = z.infer<typeof causeSchema>;

/** Messages of the same class that did not make the import fail. */
export const noteSchema = z.object({
  text: z.string(),
  count: z.number().int().positive(),
  examples: z.array(importEventSchema),
});
export type Note = z.infer<typeof noteSchema>;

/** Number of rows of a table in the dump and in the database after the import. */
export const tableRowsSchema = z.object({
  table: z.string(),
  /** Rows in the dump's COPY blocks or INSERT statements; `null` when unknown (archives). */
  expected: z.number().int().nonnegative().nullable(),
  /** Rows in the database; `null` when the table does not exist. */
  found: z.number().int().nonnegative().nullable(),
});
export type TableRows = z.infer<typeof tableRowsSchema>;

/** How a role in the dump was handled. */
export const roleReportSchema = z.object({
  role: z.string(),
  /** `known`: it exists on this server. */
  choice: z.enum(["known", "created without login", "left out"]),
  /** Objects of this role in the dump that belong to the database's owner here. */
  objects: z.number().int().nonnegative(),
  /** Grants and default privileges that were left out because the role does not exist here. */
  grants: z.number().int().nonnegative(),
});
export type RoleReport = z.infer<typeof roleReportSchema>;

/** The verdict on an import, as the agent stores it. */
export const verdictSchema = z.object({
  outcome: outcomeSchema,
  /** Number of messages. */
  messages: z.object({
    all: z.number().int().nonnegative(),
    prelude: z.number().int().nonnegative(),
    harmless: z.number().int().nonnegative(),
  }),
  /** The first 100. */
  causes: z.array(causeSchema),
  /** Number of further causes; the full log has them. */
  furtherCauses: z.number().int().nonnegative(),
  notes: z.array(noteSchema),
  rows: z.array(tableRowsSchema),
  roles: z.array(roleReportSchema),
});
export type Verdict = z.infer<typeof verdictSchema>;
