import { stackKinds } from "../../model/base/names";
import { Problem } from "../base/problem";

export { stackKinds };

export type StackName = keyof typeof stackKinds;

export const stackNames = Object.keys(stackKinds) as readonly StackName[];

/** Reads a stack's name from the command line; raises a {@link Problem} that lists them. */
export function parseStackName(text: string): StackName {
  if (isStackName(text)) return text;
  const meant = stackNames.find((name) => stackKinds[name] === text.toLowerCase());
  throw new Problem(
    `there is no stack "${text}"`,
    meant
      ? `the ${text.toLowerCase()} server's stack is called ${meant}`
      : `one of ${stackNames.join(", ")}`,
  );
}

function isStackName(text: string): text is StackName {
  return Object.hasOwn(stackKinds, text);
}
