import { z } from "zod";
import type { Backend } from "../../model/backup/rclone-config";
import { runPipeline, type Stage } from "./pipeline";

const backendsSchema = z.array(
  z.object({
    Name: z.string(),
    Options: z.array(z.object({ Name: z.string(), IsPassword: z.boolean() })).nullable(),
  }),
);

/** The backends and options of the installed rclone. */
export async function readBackends(): Promise<Backend[]> {
  const providers = await outputOf(rclone(["config", "providers"]));
  return backendsSchema.parse(JSON.parse(providers)).map(({ Name, Options }) => ({
    name: Name,
    options: (Options ?? []).map(({ Name, IsPassword }) => ({
      name: Name,
      isPassword: IsPassword,
    })),
  }));
}

/** A password in rclone's obscured form, which is no encryption. Passed on stdin, because arguments are visible to other processes. */
export async function obscure(password: string): Promise<string> {
  return (await outputOf(rclone(["obscure", "-"]), password)).trim();
}

/** Calls rclone; it logs only errors. */
export function rclone(args: readonly string[]): Stage {
  const quiet = ["--log-level", "ERROR", "--cache-dir", "/tmp/rclone"];
  return { program: "rclone", args: [...quiet, ...args] };
}

async function outputOf(stage: Stage, input = ""): Promise<string> {
  const chunks: Buffer[] = [];
  await runPipeline([{ ...stage, onOutput: (chunk) => chunks.push(chunk) }], { input });
  return Buffer.concat(chunks).toString("utf8");
}
