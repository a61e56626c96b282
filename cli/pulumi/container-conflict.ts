import { Problem } from "../base/problem";
import { timestampText } from "../base/time-text";

/** A container that already has a name which an update needs. */
export interface ContainerConflict {
  readonly name: string;
  /** Whether an update of this stack was creating it when it was killed; it is a pending operation of Pulumi's state then. */
  readonly isLeftBehind: boolean;
  /** The container on the engine; `undefined` if it cannot be inspected. */
  readonly found?:
    | {
        /** `running`, `exited`, … */
        readonly state: string;
        readonly createdAt: string;
        /** The server it belongs to, by its labels; `undefined` if Stagecraft did not create it. */
        readonly server: string | undefined;
      }
    | undefined;
}

/** Parses Docker's message about a container name in use; `undefined` for any other message. */
export function conflictingContainer(message: string): string | undefined {
  return /container name "\/?([^"]+)" is already in use/i.exec(message)?.[1];
}

/** The problem of a container name in use. The fix removes the container only if it certainly belongs to this stack. */
export function containerConflictProblem(
  stack: string,
  { name, isLeftBehind, found }: ContainerConflict,
): Problem {
  const remove = `docker rm -f ${name}   then start again; the data stays in its volume`;
  if (isLeftBehind) {
    return new Problem(
      `container ${name} was left by an update of stack ${stack} that was killed`,
      remove,
    );
  }
  const facts = found
    ? ` (${found.state}, created ${timestampText(new Date(found.createdAt))})`
    : "";
  if (found && found.server === undefined) {
    return new Problem(
      `the name of container ${name}${facts} is in use, and Stagecraft did not create that container`,
      `leave it as it is, and set another stagecraft:namePrefix in Pulumi.${stack}.yaml`,
    );
  }
  return new Problem(
    `container ${name}${facts} belongs to server ${found?.server ?? stack}, which is not in this stack's state`,
    [...otherFolderFix(stack), `if it belongs to this folder and its state was lost: ${remove}`],
  );
}

/** The fix for a name that another project folder uses: two folders cannot share the names of one server. */
export function otherFolderFix(stack: string): string[] {
  return [
    `if it belongs to another project folder: leave it as it is, and give this folder other names:`,
    `another stagecraft:namePrefix and stagecraft:postgres port in Pulumi.${stack}.yaml`,
  ];
}
