import { z } from "zod";

const sql = z.string().trim().min(1, "must not be empty");

/** One thing that a copy of production must not do, and what makes sure of it. */
export const defuseStatementSchema = z.strictObject({
  /** For people, e.g. `mail off`. */
  name: z.string().trim().min(1, "must not be empty"),
  /** Statements that make it so, in one transaction. Triggers and rules do not fire. */
  sql,
  /** A query that must answer with one `true` when it is so. */
  expect: sql,
});
export type DefuseStatement = z.infer<typeof defuseStatementSchema>;

/** All statements, in order. */
export const defuseSchema = z.array(defuseStatementSchema).superRefine((statements, context) => {
  const names = statements.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined)
    context.addIssue(`two statements are named "${twice}"; rename one of them`);
});

/**
 * What a copy of production must not do, run before anybody may connect to it.
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

/** What was done, for the report of a refresh. */
export const defuseReportSchema = z.strictObject({
  statements: z.array(
    z.strictObject({
      name: z.string(),
      /** Rows that were inserted, changed or deleted. */
      rows: z.number().int().nonnegative(),
      seconds: z.number().nonnegative(),
    }),
  ),
  seconds: z.number().nonnegative(),
});
export type DefuseReport = z.infer<typeof defuseReportSchema>;
