import { Problem } from "../base/problem";
import { timestampText } from "../base/time-text";

/** A container whose name is in use, as far as it is known whose it is. */
export interface ContainerConflict {
  readonly name: string;
  /** Whether an update of this stack was making it when it was killed: Pulumi then remembers what it had begun. */
  readonly isLeftBehind: boolean;
  /** What the engine tells of it; `undefined` where it does not. */
  readonly found?:
    | {
        /** `running`, `exited`, … */
        readonly state: string;
        readonly createdAt: string;
        /** The server it is part of, by its labels; `undefined` where Stagecraft did not make it. */
        readonly server: string | undefined;
      }
    | undefined;
}

/** Finds the name of a container in Docker's message that it is in use; `undefined` when the message is about something else. */
export function conflictingContainer(message: string): string | undefined {
  return /container name "\/?([^"]+)" is already in use/i.exec(message)?.[1];
}

/** The problem of a container that is in the way: only one that is this stack's own may be taken away without a second look. */
export function containerConflictProblem(
  stack: string,
  { name, isLeftBehind, found }: ContainerConflict,
): Problem {
  const remove = `docker rm -f ${name}   then start again; the data is in its volume and stays`;
  if (isLeftBehind) {
    return new Problem(
      `container ${name} was left by an update of stack ${stack} that was killed`,
      remove,
    );
  }
  const facts = found ? ` (${found.state}, made ${timestampText(new Date(found.createdAt))})` : "";
  if (found && found.server === undefined) {
    return new Problem(
      `container ${name}${facts} is in the way, and Stagecraft did not make it`,
      `leave it alone, and set another stagecraft:namePrefix in Pulumi.${stack}.yaml`,
    );
  }
  return new Problem(
    `container ${name}${facts} is part of a server ${found?.server ?? stack} that stack ${stack} of this folder knows nothing of`,
    [...otherFolderFix(stack), `of this folder, whose state was lost: ${remove}`],
  );
}

/** Two folders cannot share the names of one server. */
export function otherFolderFix(stack: string): string[] {
  return [
    `of another folder that is in use: leave it alone, and give this one names of its own:`,
    `stagecraft:namePrefix, and another stagecraft:postgres port, in Pulumi.${stack}.yaml`,
  ];
}
