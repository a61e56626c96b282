import { stackKinds } from "../../model/base/names";
import { Rejection } from "../base/problem";

export { stackKinds };

export type StackName = keyof typeof stackKinds;

export const stackNames = Object.keys(stackKinds) as readonly StackName[];

/** Reads a stack name from the command line. Raises a {@link Rejection} that lists the valid ones. */
export function parseStackName(text: string): StackName {
  if (isStackName(text)) return text;
  const intended = stackNames.find((name) => stackKinds[name] === text.toLowerCase());
  throw new Rejection(
    `unknown stack "${text}"`,
    intended
      ? `the stack of the ${text.toLowerCase()} server is ${intended}`
      : `use one of ${stackNames.join(", ")}`,
  );
}

function isStackName(text: string): text is StackName {
  return Object.hasOwn(stackKinds, text);
}
