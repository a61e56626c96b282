import type { OffsiteConfig } from "../../model/backup/offsite-config";
import { AgentError } from "../system/errors";
import { PipelineError, runPipeline, type Stage } from "./pipeline";

/** Throws an {@link AgentError} when nothing can be encrypted for those who are to read the copies. */
export async function checkRecipients({ recipients }: OffsiteConfig): Promise<void> {
  try {
    await runPipeline([encryption(recipients)]);
  } catch (error) {
    const said = error instanceof PipelineError ? error.stderr.split("\n")[0] : String(error);
    throw new AgentError(`backups.offsite.recipients: age cannot encrypt for them: ${said ?? ""}`, {
      cause: error,
    });
  }
}

/** The program that encrypts for whoever has one of the private keys. */
export function encryption(recipients: readonly string[]): Stage {
  return {
    program: "age",
    args: ["--encrypt", ...recipients.flatMap((key) => ["--recipient", key])],
  };
}
