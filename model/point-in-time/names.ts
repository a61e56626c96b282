import { longestDatabaseName } from "../base/names";
import type { Target } from "./target";

/** PostgreSQL cuts longer names. PostgreSQL manual, 4.1.1. */
const longestName = 63;

/** What is taken over from a side cluster is called, unless it is told: `invoices_20261121_1405`. */
export function recoveredName(name: string, target: Target, longest = longestName): string {
  const ending = `_${endingOf(target)}`;
  return `${cut(name, longest - ending.length)}${ending}`;
}

/** The same for a database, which needs more room behind its name. */
export function recoveredDatabaseName(name: string, target: Target): string {
  return recoveredName(name, target, longestDatabaseName);
}

function endingOf(target: Target): string {
  if (target.kind !== "time") return "recovered";
  const [day = "", time = ""] = target.at.toISOString().replace(/[-:]/g, "").split("T");
  return `${day}_${time.startsWith("00", 4) ? time.slice(0, 4) : time.slice(0, 6)}`;
}

/** By whole characters. */
function cut(name: string, bytes: number): string {
  let kept = "";
  for (const character of name) {
    if (Buffer.byteLength(kept + character) > bytes) break;
    kept += character;
  }
  return kept;
}
