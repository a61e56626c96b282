import { text } from "node:stream/consumers";
import { AgentError, messageOf } from "../system/errors";
import { writeStateFile } from "../system/state-folder";
import { stateFile } from "./server-files";

/** Saves the export of the stack's state from stdin; the next backups contain it. Its secrets are encrypted. */
export async function saveStackState(): Promise<void> {
  const exported = await text(process.stdin);
  try {
    const { deployment } = JSON.parse(exported) as { deployment?: unknown };
    if (typeof deployment !== "object") throw new Error("it has no deployment");
  } catch (error) {
    throw new AgentError(
      `stdin is not the export of a stack (${messageOf(error)}); make it with: pulumi stack export`,
      { cause: error },
    );
  }
  await writeStateFile(stateFile, exported);
}
