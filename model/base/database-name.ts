import { z } from "zod";
import { databaseNameProblem } from "./names";

/** Name of a database that Stagecraft can manage; see {@link databaseNameProblem}. */
export const databaseNameSchema = z.string().superRefine((name, context) => {
  const problem = databaseNameProblem(name);
  if (problem !== undefined) context.addIssue(`must ${problem}`);
});
