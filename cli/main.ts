import { resolve } from "node:path";
import { CommanderError } from "commander";
import { RequirementError } from "../tools";
import { Problem, Cancelled } from "./base/problem";
import { createProgram } from "./program/program";
import { findProject } from "./project/project";
import { UpdateFailed } from "./pulumi/update";
import { paintFor } from "./base/paint";
import { problemText } from "./base/problem-text";

/** Runs the operator's CLI; sets the exit status and never raises. */
export async function main(args: readonly string[]): Promise<void> {
  const program = createProgram({
    folder: () => findProject(process.cwd(), resolve(__dirname, "..")),
    exit: (status) => {
      process.exitCode = status;
    },
  });
  try {
    await program.parseAsync(args, { from: "user" });
  } catch (error) {
    process.exitCode = reportError(error);
  }
}

if (require.main === module) void main(process.argv.slice(2));

/** Tells a person what went wrong; the exit status. */
function reportError(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode;
  if (error instanceof Cancelled) return 1;
  const paint = paintFor(process.stderr);
  for (const problem of problemsOf(error)) console.error(problemText(problem, paint));
  return 1;
}

function problemsOf(error: unknown): readonly Problem[] {
  if (error instanceof UpdateFailed) return error.problems;
  if (error instanceof RequirementError) return [new Problem(error.what, error.fix)];
  return [error instanceof Problem ? error : unexpected(error)];
}

function unexpected(error: unknown): Problem {
  if (process.env["STAGECRAFT_DEBUG"]) console.error(error);
  const message = error instanceof Error ? error.message : String(error);
  return new Problem(
    `unexpected: ${message}`,
    "this is a fault of Stagecraft; STAGECRAFT_DEBUG=1 in front of the command shows where",
  );
}
