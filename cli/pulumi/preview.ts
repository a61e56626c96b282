import { z } from "zod";
import { UpdateFailed } from "./update";
import { runPulumi } from "./run-pulumi";
import { updateProblems } from "./update-errors";
import type { StackName } from "../project/stacks";

/** What `pulumi preview --json` tells, as far as it is shown. */
const previewSchema = z.object({
  diagnostics: z
    .array(z.object({ urn: z.string().optional(), message: z.string(), severity: z.string() }))
    .nullish(),
  changeSummary: z.record(z.string(), z.number()).nullish(),
});

/** What an update would do. */
export interface UpdatePreview {
  /** What the program tells about it, in its order. */
  readonly notes: readonly string[];
  readonly changes: Readonly<Record<string, number>>;
}

/** Previews a stack with the settings of another file; raises {@link UpdateFailed} where the update would not go through. */
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
    throw new UpdateFailed(updateProblems({ stack, errors: of(/^error$/), stderr }));
  }
  return { notes: of(/^info/), changes: found?.changeSummary ?? {} };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
