import { tableKey } from "../../../model/base/table-key";
import type { ImportedTable, ImportLog } from "../../../model/import-log/import-log";
import { verdictLine } from "../../../model/import-log/verdict-text";
import type { Verdict } from "../../../model/import-log/verdict-schema";
import { messageOf } from "../../system/errors";
import type { OpenedDump } from "../dump/open-dump";
import { fillDatabase, type FillTarget } from "./fill-database";
import type { Recorder } from "./recorder";
import { withConnection } from "../../postgres/connect";
import { countRows } from "./count-rows";
import { findMovingPartitions } from "./partition-routes";
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

async function check(target: FillTarget, recorder: Recorder): Promise<Verdict> {
  const found = await compareRows(target, recorder.log).catch((error: unknown) => {
    // A failed import may be the reason why rows cannot be counted.
    if (recorder.log.failed) return undefined;
    throw error;
  });
  return recorder.verdict(found);
}

/** Sets how many rows each table should have, and counts those that it has. */
async function compareRows(
  { candidate, rows = new Map() }: FillTarget,
  log: ImportLog,
): Promise<ReadonlyMap<string, ImportedTable>> {
  const roots = await withConnection(candidate, async (client) =>
    findMovingPartitions(client, log.tables),
  );
  log.expectInRoots(roots);
  const known = new Map<string, number>();
  for (const [table, count] of rows) {
    const root = roots.get(table);
    const key = root ? tableKey(root) : table;
    known.set(key, (known.get(key) ?? 0) + count);
  }
  for (const [table, count] of known) log.setExpectedRows(table, count);
  return countRows(candidate, log.tables);
}
