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

/**
 * Checks what a component asks an agent for. Raises one {@link UserError} that names the component and all problems; it shows no
 * values, which may be secrets.
 */
export function checkRequest<T extends z.ZodType>(
  what: string,
  schema: T,
  request: unknown,
): z.output<T> {
  const { success, data, error } = schema.safeParse(request);
  if (success) return data;
  const lines = error.issues.map(({ path, message }) => {
    const at = path.length === 0 ? "" : `.${path.join(".")}`;
    return `${what}${at} ${message.replace(/^Invalid input: expected/, "must be")}`;
  });
  throw new UserError(lines.join("\n"));
}

/** Reads the answer of an agent. Raises a {@link UserError} if the agent is of a version whose answers this one cannot read. */
export function parseAnswer<T extends z.ZodType>(
  server: string,
  schema: T,
  stdout: string,
): z.output<T> {
  try {
    return schema.parse(JSON.parse(stdout));
  } catch {
    throw new UserError(
      `the agent of ${server} answered in a form that this version of Stagecraft cannot read; recreate it: docker rm -f its container, then run pulumi up`,
    );
  }
}
