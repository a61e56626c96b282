import { formatAge } from "../../model/base/units";

/** How long ago a moment was, in one unit: `5 min`. */
export function ageText(moment: Date, now: Date): string {
  return formatAge((now.getTime() - moment.getTime()) / 1000);
}

/** A moment as people write it: `22 Nov 2026 16:10 UTC`. */
export function timestampText(moment: Date): string {
  const text = new Intl.DateTimeFormat("en-GB", {
    day: "numeric",
    month: "short",
    year: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    timeZone: "UTC",
  }).format(moment);
  return `${text.replace(",", "")} UTC`;
}
