import type { OffsiteConfig } from "../../model/backup/offsite-config";
import { AgentError } from "../system/errors";
import { PipelineError, runPipeline, type Stage } from "./pipeline";

/** Throws an {@link AgentError} when age cannot encrypt for the recipients. */
export async function checkRecipients({ recipients }: OffsiteConfig): Promise<void> {
  try {
    await runPipeline([encryption(recipients)]);
  } catch (error) {
    const reason = error instanceof PipelineError ? error.stderr.split("\n")[0] : String(error);
    throw new AgentError(
      `backups.offsite.recipients: age cannot encrypt for them: ${reason ?? ""}`,
      {
        cause: error,
      },
    );
  }
}

/** Encrypts stdin to stdout with age, for the given public keys. */
export function encryption(recipients: readonly string[]): Stage {
  return {
    program: "age",
    args: ["--encrypt", ...recipients.flatMap((key) => ["--recipient", key])],
  };
}
