import { execa } from "execa";

/** Runs a script in a container; throws what it says when a command of it fails. Gives its stdout. */
export type Inside = (script: string, input?: string) => Promise<string>;

/** {@link Inside} one container. */
export function inside(container: string): Inside {
  return async (script, input = "") =>
    (
      await execa("docker", ["exec", "-i", container, "bash", "-o", "pipefail", "-ec", script], {
        input,
      })
    ).stdout;
}
