// What is said goes on only after the signal, so whoever reads the step's line knows that the restore does no more of it.
const script = `exec 3<&0
pid=/tmp/$$.pid
sh -c 'echo $$ >'$pid'; exec stagecraft-agent restore' <&3 2> >(while IFS= read -r line; do
  [ "$line" = "$1" ] && kill -"$2" "$(cat $pid)" && touch /tmp/reached; echo "$line" >&2; done)`;

/** What a restore says when it begins a step. */
export function stepLine(step: string): string {
  return `${step} …`;
}

/**
 * The command, in the agent's container, of a restore that a signal reaches when it begins a step: KILL, or STOP until
 * somebody else is killed. `/tmp/reached` is there then.
 */
export function restoreUntil(step: string, signal: "KILL" | "STOP"): readonly string[] {
  return ["bash", "-c", script, "-", stepLine(step), signal];
}

/** The command, in the agent's container, that sends a signal to every restore there. */
export function signalRestore(signal: "KILL" | "CONT"): readonly string[] {
  const isRestore = `tr '\\0' ' ' <$p/cmdline | grep -q 'agent.j[s] restore'`;
  const each = `${isRestore} && kill -${signal} \${p#/proc/}`;
  return ["bash", "-c", `for p in /proc/[0-9]*; do ${each}; done; true`];
}
