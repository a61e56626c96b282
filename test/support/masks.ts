import { build } from "esbuild";
import { join } from "node:path";
import type { Defuse, DefuseReport } from "../../model/defuse/statement";
import type { Masks } from "../../model/masks/mask";
import type { MaskPlan } from "../../model/masks/plan";
import type { MasksReport } from "../../model/masks/report";
import type { SettingProblem } from "../../model/base/config-problem";
import type { TestServer } from "./server";

/** What is to be done with a database. */
export interface MasksJob {
  readonly database: string;
  readonly key: string;
  readonly masks?: Masks;
  readonly defuse?: Defuse;
}

/** What became of it. */
export interface MasksOutcome {
  problems?: readonly SettingProblem[];
  plan?: MaskPlan;
  masked?: MasksReport;
  defused?: DefuseReport;
  error?: string;
}

const program = "/tmp/masks-program.js";

/** Puts the program that masks into the agent's container. */
export async function placeMasksProgram(server: TestServer): Promise<void> {
  const { outputFiles } = await build({
    entryPoints: [join(__dirname, "masks-program.ts")],
    bundle: true,
    write: false,
    platform: "node",
    target: "node20",
    format: "cjs",
    external: ["pg-native"],
    logLevel: "warning",
  });
  const { status, stderr } = await server.run(
    ["sh", "-c", `cat >${program}`],
    Buffer.from(outputFiles[0]?.text ?? ""),
  );
  if (status !== 0) throw new Error(stderr);
}

/** Masks, then defuses. */
export async function runMasks(server: TestServer, job: MasksJob): Promise<MasksOutcome> {
  const { stdout, stderr } = await server.run(["node", program], Buffer.from(JSON.stringify(job)));
  if (stdout === "") throw new Error(stderr);
  return JSON.parse(stdout) as MasksOutcome;
}
