import { resolve } from "node:path";
import { CommanderError } from "commander";
import { z } from "zod";
import { RequirementError } from "../tools";
import { EngineProblem } from "../engine/problems";
import { asProblem, Cancelled, Problem } from "./base/problem";
import { exitStatus, type ExitStatus } from "./base/exit-status";
import { createProgram } from "./program/program";
import { rejectUnknownVerb } from "./program/unknown-verb";
import { findProject } from "./project/project";
import { UpdateFailed } from "./pulumi/update";
import { paintFor } from "./base/paint";
import { problemText } from "./base/problem-text";

/** Runs the operator's CLI and sets the exit status. Raises nothing. */
export async function main(args: readonly string[]): Promise<void> {
  const program = createProgram({
    folder: () => findProject(process.cwd(), resolve(__dirname, "..")),
    exit: (status) => {
      process.exitCode = status;
    },
  });
  try {
    rejectUnknownVerb(program, args);
    await program.parseAsync(args, { from: "user" });
  } catch (error) {
    process.exitCode = reportError(error);
  }
}

if (require.main === module) void main(process.argv.slice(2));

/** Prints what went wrong; the exit status. */
function reportError(error: unknown): ExitStatus {
  if (error instanceof CommanderError) {
    return error.exitCode === 0 ? exitStatus.done : exitStatus.rejected;
  }
  if (error instanceof Cancelled) return exitStatus.failed;
  const paint = paintFor(process.stderr);
  for (const problem of problemsOf(error)) console.error(problemText(problem, paint));
  const hasStatus = error instanceof Problem || error instanceof UpdateFailed;
  return hasStatus ? error.exitStatus : exitStatus.failed;
}

function problemsOf(error: unknown): readonly Problem[] {
  if (error instanceof UpdateFailed) return error.problems;
  if (error instanceof RequirementError) return [new Problem(error.what, error.fix)];
  if (error instanceof EngineProblem) return [asProblem(error)];
  return [error instanceof Problem ? error : unexpected(error)];
}

/** A file or an answer that has another form than its schema, in one line. */
function formOf({ issues }: z.ZodError): string {
  return issues.map(({ path, message }) => `${path.join(".")}: ${message}`).join("; ");
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function unexpected(error: unknown): Problem {
  if (process.env["STAGECRAFT_DEBUG"]) console.error(error);
  const message = error instanceof z.ZodError ? formOf(error) : messageOf(error);
  return new Problem(
    `unexpected: ${message}`,
    "this is a bug in Stagecraft; run the command with STAGECRAFT_DEBUG=1 for a stack trace",
  );
}
