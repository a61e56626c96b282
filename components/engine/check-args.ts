import type { z } from "zod";
import { schemaKeysAt } from "../../model/stack-file/schema-keys";
import { problemsOf } from "../../model/stack-file/zod-problems";
import { UserError } from "./user-error";

/** Checks the arguments of a component. Raises one {@link UserError} that names the component and all problems. */
export function checkArgs<T extends z.ZodObject>(
  what: string,
  schema: T,
  args: unknown,
): z.output<T> {
  const { success, data, error } = schema.safeParse(args, { reportInput: true });
  if (success) return data;
  const lines = error.issues
    .flatMap((issue) => problemsOf(issue, [], schemaKeysAt(schema, issue.path)))
    .map(({ path, text }) => `${what}.${path} ${text}`);
  throw new UserError(lines.join("\n"));
}
