import { maxDatabaseNameBytes } from "../base/names";
import type { RecoveryTarget } from "./recovery-target";

/** PostgreSQL truncates longer names. PostgreSQL manual, 4.1.1. */
const longestName = 63;

/** Default name of a table copied from a recovery instance: `invoices_20261121_1405`. */
export function recoveredName(name: string, target: RecoveryTarget, longest = longestName): string {
  const suffix = `_${suffixOf(target)}`;
  return `${truncate(name, longest - suffix.length)}${suffix}`;
}

/** Default name of a database copied from a recovery instance; shorter, because Stagecraft appends suffixes to database names. */
export function recoveredDatabaseName(name: string, target: RecoveryTarget): string {
  return recoveredName(name, target, maxDatabaseNameBytes);
}

function suffixOf(target: RecoveryTarget): string {
  if (target.kind !== "time") return "recovered";
  const [day = "", time = ""] = target.at.toISOString().replace(/[-:]/g, "").split("T");
  return `${day}_${time.startsWith("00", 4) ? time.slice(0, 4) : time.slice(0, 6)}`;
}

/** Truncates to a number of bytes, at a character boundary. */
function truncate(name: string, bytes: number): string {
  let result = "";
  for (const character of name) {
    if (Buffer.byteLength(result + character) > bytes) break;
    result += character;
  }
  return result;
}
