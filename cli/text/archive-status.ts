import { archiveWarnings } from "../../model/point-in-time/drift";
import type { ArchiveObservation } from "../../model/point-in-time/protocol";
import { windowsText } from "../../model/point-in-time/recovery-windows";
import { formatDuration } from "../../model/base/units";
import type { Paint } from "../base/paint";

/** Which moments a server can be recovered to and how far behind its archive is; nothing where nothing is archived. */
export function archiveRows(archive: ArchiveObservation, paint: Paint): string[][] {
  const { on, windows, behindSeconds } = archive;
  if (!on && windows.length === 0) return [];
  const moments = windows.map(({ first, last }) => ({
    first: new Date(first),
    last: new Date(last),
  }));
  const lag = on ? `${formatDuration(behindSeconds)} behind` : "nothing new is archived";
  return [
    ["moments", `${windowsText(moments)} · ${lag}`],
    ...archiveWarnings(archive).map((warning) => ["", paint.bad(warning)]),
  ];
}
