import type { VerbName } from "../contract/verbs";

/**
 * A call of the agent `$AGENT` in the shell command of a resource. The request is the command's stdin.
 *
 * @param words further words as the shell reads them, e.g. `'"$GENERATION"'`
 */
export function shellCall(verb: VerbName, ...words: readonly string[]): string {
  return ['docker exec -i "$AGENT" stagecraft-agent', verb, ...words].join(" ");
}

/**
 * A script as the text of a command: without its comments, so that a change of one does not run the command again.
 */
export function scriptText(script: string): string {
  return script
    .split("\n")
    .filter((line) => !/^\s*(#|$)/.test(line))
    .join("\n");
}
