import { observationSchema } from "../../model/observation/observation";
import type { RestoreResult } from "../../model/restore/protocol";
import { formatDuration } from "../../model/base/units";
import { inside } from "./inside";

/** What an agent's last restore did. */
export async function lastRestore(agent: string): Promise<RestoreResult> {
  const seen = await inside(agent)("stagecraft-agent observe");
  const { lastRestore } = observationSchema.parse(JSON.parse(seen));
  if (!lastRestore) throw new Error(`${agent} has restored nothing`);
  return lastRestore;
}

/** How long each step took: `read 1.6 s, create 0.2 s`. */
export function stepsText({ steps }: RestoreResult): string {
  return steps.map(({ name, seconds }) => `${name} ${formatDuration(seconds)}`).join(", ");
}
