import { text } from "node:stream/consumers";
import { stateFile } from "./server-files";
import { AgentError, messageOf } from "../system/errors";
import { writeStateFile } from "../system/state-folder";

/** Keeps the export of the stack's state, which stdin is, for the backups to come. Its secrets are encrypted. */
export async function keepState(): Promise<void> {
  const exported = await text(process.stdin);
  try {
    const { deployment } = JSON.parse(exported) as { deployment?: unknown };
    if (typeof deployment !== "object") throw new Error("it has no deployment");
  } catch (error) {
    throw new AgentError(
      `what came is not an export of a stack (${messageOf(error)}); make it with: pulumi stack export`,
      { cause: error },
    );
  }
  await writeStateFile(stateFile, exported);
}
