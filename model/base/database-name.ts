import { z } from "zod";
import { databaseNameProblem } from "./names";

/** A database name that Stagecraft may look after. */
export const databaseNameSchema = z.string().superRefine((name, context) => {
  const problem = databaseNameProblem(name);
  if (problem !== undefined) context.addIssue(`must ${problem}`);
});
