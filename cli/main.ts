import { resolve } from "node:path";
import { CommanderError } from "commander";
import { Problem, Stopped } from "./problem";
import { makeProgram } from "./program";
import { findProject } from "./project";
import { UpdateFailed } from "./pulumi";
import { paintFor } from "./text/paint";
import { problemText } from "./text/problem";

/** Runs the operator's CLI; sets the exit status and never raises. */
export async function main(args: readonly string[]): Promise<void> {
  const program = makeProgram({
    folder: () => findProject(process.cwd(), resolve(__dirname, "..")),
    exit: (status) => {
      process.exitCode = status;
    },
  });
  try {
    await program.parseAsync(args, { from: "user" });
  } catch (error) {
    process.exitCode = tell(error);
  }
}

/** Tells a person what went wrong; the exit status. */
function tell(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode;
  if (error instanceof Stopped) return 1;
  const paint = paintFor(process.stderr);
  const problems =
    error instanceof UpdateFailed
      ? error.problems
      : [error instanceof Problem ? error : unexpected(error)];
  for (const problem of problems) console.error(problemText(problem, paint));
  return 1;
}

function unexpected(error: unknown): Problem {
  if (process.env["STAGECRAFT_DEBUG"]) console.error(error);
  const message = error instanceof Error ? error.message : String(error);
  return new Problem(
    `unexpected: ${message}`,
    "this is a fault of Stagecraft; STAGECRAFT_DEBUG=1 in front of the command shows where",
  );
}
