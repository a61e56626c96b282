import { formatAge } from "../../model/base/units";

/** Time since a timestamp, in one unit: `5 min`. */
export function ageText(since: Date, now: Date): string {
  return formatAge((now.getTime() - since.getTime()) / 1000);
}

/** A timestamp in UTC: `22 Nov 2026 16:10 UTC`. */
export function timestampText(time: Date): string {
  const text = new Intl.DateTimeFormat("en-GB", {
    day: "numeric",
    month: "short",
    year: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    timeZone: "UTC",
  }).format(time);
  return `${text.replace(",", "")} UTC`;
}
