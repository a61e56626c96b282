import type { Defuse, DefuseReport } from "../../../model/defuse/statement";
import type { Masks } from "../../../model/masks/mask";
import type { MaskPlan } from "../../../model/masks/plan";
import type { MasksReport } from "../../../model/masks/report";
import type { ConfigProblem } from "../../../model/base/config-problem";
import { bundleProgram } from "../programs/bundle";
import type { TestServer } from "../servers/server";

/** What is to be done with a database. */
export interface MasksJob {
  readonly database: string;
  readonly key: string;
  readonly masks?: Masks;
  readonly defuse?: Defuse;
}

/** What became of it. */
export interface MasksOutcome {
  problems?: readonly ConfigProblem[];
  plan?: MaskPlan;
  masked?: MasksReport;
  defused?: DefuseReport;
  error?: string;
}

const program = "/tmp/masks-program.js";

/** Puts the program that masks into the agent's container. */
export async function placeMasksProgram(server: TestServer): Promise<void> {
  const bundle = await bundleProgram({ file: "test/support/masks/program.ts" });
  const { status, stderr } = await server.run(["sh", "-c", `cat >${program}`], Buffer.from(bundle));
  if (status !== 0) throw new Error(stderr);
}

/** Masks, then defuses. */
export async function runMasks(server: TestServer, job: MasksJob): Promise<MasksOutcome> {
  const { stdout, stderr } = await server.run(["node", program], Buffer.from(JSON.stringify(job)));
  if (stdout === "") throw new Error(stderr);
  return JSON.parse(stdout) as MasksOutcome;
}
