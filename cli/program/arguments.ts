import { Argument } from "commander";
import { parseStackName, stackNames } from "../project/stacks";

/** The stack argument of a verb. */
export function stackArgument(flags: string): Argument {
  return new Argument(flags, `stack of the server: ${stackNames.join(", ")}`).argParser(
    parseStackName,
  );
}

/** Help text with an example. */
export function example(command: string): string {
  return `\nExample:\n  ${command}`;
}
