import { z } from "zod";
import { UpdateFailed } from "./update";
import { engineError } from "./engine-events";
import { runPulumi } from "./run-pulumi";
import { updateProblems } from "./update-errors";
import type { StackName } from "../project/stacks";

/** Output of `pulumi preview --json`: the parts that are used. */
const previewSchema = z.object({
  diagnostics: z
    .array(z.object({ urn: z.string().optional(), message: z.string(), severity: z.string() }))
    .nullish(),
  changeSummary: z.record(z.string(), z.number()).nullish(),
});

/** What an update would change. */
export interface UpdatePreview {
  /** What the program logs about it, in order. */
  readonly notes: readonly string[];
  /** What the program and Pulumi warn of. */
  readonly warnings: readonly string[];
  readonly changes: Readonly<Record<string, number>>;
}

/** Previews a stack with another stack file. Raises {@link UpdateFailed} when the preview fails. */
export async function previewStack(
  folder: string,
  stack: StackName,
  configFile: string,
): Promise<UpdatePreview> {
  const args = ["preview", "--stack", stack, "--json", "--config-file", configFile];
  const { exitCode, stdout, stderr } = await runPulumi(folder, args);
  const start = stdout.indexOf("{");
  const found = start < 0 ? undefined : previewSchema.safeParse(parse(stdout.slice(start))).data;
  const diagnostics = found?.diagnostics ?? [];
  const of = (severity: RegExp): string[] =>
    diagnostics.filter((one) => severity.test(one.severity)).map(({ message }) => message.trim());
  if (exitCode !== 0) {
    // A preview changes nothing: every error rejects the update, whichever part of it reported the error.
    const errors = of(/^error$/).map((message) => engineError(message, undefined));
    throw new UpdateFailed(updateProblems({ stack, errors, stderr }));
  }
  return {
    notes: of(/^info/),
    warnings: [...new Set(of(/^warning$/))],
    changes: found?.changeSummary ?? {},
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
