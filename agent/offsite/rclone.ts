import { z } from "zod";
import type { Backend } from "../../model/backup/rclone-config";
import { runPipeline, type Stage } from "./pipeline";

const backendsSchema = z.array(
  z.object({
    Name: z.string(),
    Options: z.array(z.object({ Name: z.string(), IsPassword: z.boolean() })).nullable(),
  }),
);

/** What this rclone can do. */
export async function readBackends(): Promise<Backend[]> {
  const told = await outputOf(rclone(["config", "providers"]));
  return backendsSchema.parse(JSON.parse(told)).map(({ Name, Options }) => ({
    name: Name,
    options: (Options ?? []).map(({ Name, IsPassword }) => ({
      name: Name,
      isPassword: IsPassword,
    })),
  }));
}

/** A password as rclone wants it in its file; against glances only. It goes by stdin, as an argument would be seen. */
export async function obscure(password: string): Promise<string> {
  return (await outputOf(rclone(["obscure", "-"]), password)).trim();
}

/** rclone, with nothing to say but errors. */
export function rclone(args: readonly string[]): Stage {
  const quiet = ["--log-level", "ERROR", "--cache-dir", "/tmp/rclone"];
  return { program: "rclone", args: [...quiet, ...args] };
}

async function outputOf(stage: Stage, input = ""): Promise<string> {
  const pieces: Buffer[] = [];
  await runPipeline([{ ...stage, onOutput: (piece) => pieces.push(piece) }], { input });
  return Buffer.concat(pieces).toString("utf8");
}
