import type { z } from "zod";
import { problemsOf } from "../model/settings/problems";
import { ToldError } from "./told-error";

/** The arguments of a component, checked; one error that names the component and all that is wrong. */
export function checkArgs<T extends z.ZodObject>(
  what: string,
  schema: T,
  args: unknown,
): z.output<T> {
  const { success, data, error } = schema.safeParse(args, { reportInput: true });
  if (success) return data;
  const lines = error.issues
    .flatMap((issue) => problemsOf(issue, [], Object.keys(schema.shape)))
    .map(({ path, text }) => `${what}.${path} ${text}`);
  throw new ToldError(lines.join("\n"));
}
