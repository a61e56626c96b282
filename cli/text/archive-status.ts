import { archiveWarnings } from "../../model/point-in-time/drift";
import type { ArchiveObservation } from "../../model/point-in-time/protocol";
import { windowsText } from "../../model/point-in-time/recovery-windows";
import { formatDuration } from "../../model/base/units";
import type { Paint } from "../base/paint";

/** Times that a server can be recovered to and how far the WAL archive is behind; no rows if nothing is archived. */
export function archiveRows(archive: ArchiveObservation, paint: Paint): string[][] {
  const { on, windows, behindSeconds } = archive;
  if (!on && windows.length === 0) return [];
  const recoverable = windows.map(({ first, last }) => ({
    first: new Date(first),
    last: new Date(last),
  }));
  const lag = on ? `${formatDuration(behindSeconds)} behind` : "archiving is off";
  return [
    ["recovery", `${windowsText(recoverable)} · ${lag}`],
    ...archiveWarnings(archive).map((warning) => ["", paint.bad(warning)]),
  ];
}
