import { formatBytes, plural } from "../../model/base/units";
import type { Paint } from "../base/paint";
import type { NamedLog } from "../server/server-status";

/** Rows of `stagecraft status` about the logs that the engine stores: their limit, and each log that has none. */
export function logRows(stack: string, logs: readonly NamedLog[], paint: Paint): string[][] {
  const limited = logs.flatMap(({ limitBytes }) => (limitBytes == null ? [] : [limitBytes]));
  const unlimited = logs.filter(({ limitBytes }) => limitBytes === null);
  const total = limited.reduce((sum, bytes) => sum + bytes, 0);
  const texts = unlimited.map(
    ({ container }) =>
      paint.warn(`the log of ${container} has no limit, and can fill the host's disk`) +
      ` · npm start -- ${stack}`,
  );
  if (limited.length > 0)
    texts.push(
      `rotated by the engine: at most ${formatBytes(total)} of ${plural(limited.length, "container")}`,
    );
  return texts.map((text, index) => [index === 0 ? "logs" : "", text]);
}
