import { z } from "zod";

const sql = z.string().trim().min(1, "must not be empty");

/** A statement that disables something in a copy of production, with a check. */
export const defuseStatementSchema = z.strictObject({
  /** Display name, e.g. `mail off`. */
  name: z.string().trim().min(1, "must not be empty"),
  /** SQL statements, run in one transaction. Triggers and rules do not fire. */
  sql,
  /** A query that returns a single `true` if the statements had the intended effect. */
  expect: sql,
});
export type DefuseStatement = z.infer<typeof defuseStatementSchema>;

/** All statements, in order. */
export const defuseSchema = z.array(defuseStatementSchema).superRefine((statements, context) => {
  const names = statements.map(({ name }) => name);
  const duplicate = names.find((name, i) => names.indexOf(name) !== i);
  if (duplicate !== undefined)
    context.addIssue(`two statements are named "${duplicate}"; rename one of them`);
});

/**
 * Statements that make a copy of production harmless. They run before anyone can connect to the copy.
 *
 * @example
 * const defuse: Defuse = [
 *   {
 *     name: "jobs off",
 *     sql: "UPDATE scheduled_jobs SET enabled = false",
 *     expect: "SELECT NOT EXISTS (SELECT FROM scheduled_jobs WHERE enabled)",
 *   },
 * ];
 */
export type Defuse = readonly DefuseStatement[];

/** Executed statements, for the report of a refresh. */
export const defuseReportSchema = z.strictObject({
  statements: z.array(
    z.strictObject({
      name: z.string(),
      /** Number of inserted, updated or deleted rows. */
      rows: z.number().int().nonnegative(),
      seconds: z.number().nonnegative(),
    }),
  ),
  seconds: z.number().nonnegative(),
});
export type DefuseReport = z.infer<typeof defuseReportSchema>;
