import { verdictLine } from "../../../model/import-log/verdict-text";
import type { Verdict } from "../../../model/import-log/verdict-schema";
import { messageOf } from "../../system/errors";
import type { OpenedDump } from "../dump/open-dump";
import { fillDatabase, type FillTarget } from "./fill-database";
import type { Recorder } from "./recorder";
import { countRows } from "./count-rows";
import { withDiskSpaceGuard } from "../../postgres/free-space";
import { type RunStep } from "../../system/step";

/**
 * Restores a dump into an empty database, then judges the import by its messages and row counts. Closes the recorder.
 *
 * @param folder PostgreSQL's data directory, to watch its free space; `undefined` when it is not accessible
 */
export async function restoreAndCheck(
  dump: OpenedDump,
  target: FillTarget,
  folder: string | undefined,
  recorder: Recorder,
  step: RunStep,
): Promise<Verdict> {
  try {
    const isComplete = await step("restore", async () =>
      withDiskSpaceGuard(folder, target.candidate, async () =>
        fillDatabase(dump, target, recorder),
      ),
    );
    const verdict = await step("check", async () =>
      isComplete ? check(target, recorder) : recorder.verdict(),
    );
    recorder.write(`verdict: ${verdictLine(verdict)}`);
    return verdict;
  } catch (error) {
    recorder.write(`stopped: ${messageOf(error)}`);
    throw error;
  } finally {
    await recorder.close();
  }
}

async function check(
  { candidate, rows = new Map() }: FillTarget,
  recorder: Recorder,
): Promise<Verdict> {
  const { log } = recorder;
  for (const [table, count] of rows) log.setExpectedRows(table, count);
  const found = await countRows(candidate, log.tables).catch((error: unknown) => {
    // A failed import may be the reason why rows cannot be counted.
    if (log.failed) return undefined;
    throw error;
  });
  return recorder.verdict(found);
}
