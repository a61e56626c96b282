import type { z } from "zod";
import { keysAt } from "../../model/stack-file/keys-at";
import { problemsOf } from "../../model/stack-file/zod-problems";
import { ToldError } from "./user-error";

/** The arguments of a component, checked; one error that names the component and all that is wrong. */
export function checkArgs<T extends z.ZodObject>(
  what: string,
  schema: T,
  args: unknown,
): z.output<T> {
  const { success, data, error } = schema.safeParse(args, { reportInput: true });
  if (success) return data;
  const lines = error.issues
    .flatMap((issue) => problemsOf(issue, [], keysAt(schema, issue.path)))
    .map(({ path, text }) => `${what}.${path} ${text}`);
  throw new ToldError(lines.join("\n"));
}
