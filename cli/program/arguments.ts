import { Argument } from "commander";
import { parseStackName, stackNames } from "../project/stacks";

/** The argument that names a server. */
export function stackArgument(flags: string): Argument {
  return new Argument(flags, `the server's stack: ${stackNames.join(", ")}`).argParser(
    parseStackName,
  );
}

/** The example under a verb's help. */
export function example(command: string): string {
  return `\nExample:\n  ${command}`;
}
