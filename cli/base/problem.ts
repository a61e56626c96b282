import type { EngineProblem } from "../../engine/problems";
import { exitStatus, type ExitStatus } from "./exit-status";

/**
 * An error that the user can act on: printed without a stack trace. A plain `Problem` is a failure that changed nothing;
 * its subclasses have other exit statuses.
 */
export class Problem extends Error {
  override readonly name: string = "Problem";
  /** Exit status of the command that ends with it. */
  readonly exitStatus: ExitStatus = exitStatus.failed;

  /**
   * @param message what is wrong, with the value
   * @param fix what to do about it: a command or a sentence, or several lines
   */
  constructor(
    message: string,
    readonly fix?: string | readonly string[],
  ) {
    super(message);
  }
}

/**
 * Wrong input, or a request that was rejected before anything was changed. The same command fails again until the command
 * line, the stack file or a precondition changes.
 */
export class Rejection extends Problem {
  override readonly name = "Rejection";
  override readonly exitStatus = exitStatus.rejected;
}

/** A change that was made and leaves something incomplete or not healthy. */
export class UnhealthyResult extends Problem {
  override readonly name = "UnhealthyResult";
  override readonly exitStatus = exitStatus.unhealthy;
}

/** Raised when the user answered no or interrupted a question; the reason has been printed. */
export class Cancelled extends Error {
  override readonly name = "Cancelled";
}

/** A problem of the Docker engine or of an agent, as a {@link Problem}. */
export function asProblem({ message, fix }: EngineProblem): Problem {
  return new Problem(message, fix);
}
