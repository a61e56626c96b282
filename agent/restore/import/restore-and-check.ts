import { verdictLine } from "../../../model/import-log/text";
import type { Verdict } from "../../../model/import-log/verdict-schema";
import { messageOf } from "../../system/errors";
import type { Dump } from "../dump/open-dump";
import { fillDatabase, type FillTarget } from "./fill-database";
import type { Recorder } from "./recorder";
import { countRows } from "./count-rows";
import { withDiskSpaceGuard } from "../../postgres/free-space";
import { type RunStep } from "../../system/step";

/**
 * Restores a dump into an empty database and judges what was said and what is there; closes the recorder's log.
 * `folder` is that of PostgreSQL's data, whose free space is watched; `undefined` where it cannot be seen.
 */
export async function restoreAndCheck(
  dump: Dump,
  target: FillTarget,
  folder: string | undefined,
  recorder: Recorder,
  step: RunStep,
): Promise<Verdict> {
  try {
    await step("restore", async () =>
      withDiskSpaceGuard(folder, target.copy, async () => fillDatabase(dump, target, recorder)),
    );
    const verdict = await step("check", async () => check(target, recorder));
    recorder.write(`verdict: ${verdictLine(verdict)}`);
    return verdict;
  } catch (error) {
    recorder.write(`stopped: ${messageOf(error)}`);
    throw error;
  } finally {
    await recorder.close();
  }
}

async function check({ copy, rows = new Map() }: FillTarget, { log }: Recorder): Promise<Verdict> {
  for (const [table, count] of rows) log.setExpectedRows(table, count);
  const found = await countRows(copy, log.tables).catch((error: unknown) => {
    // What has failed already may be why nothing can be counted.
    if (log.failed) return undefined;
    throw error;
  });
  return log.verdict(found);
}
