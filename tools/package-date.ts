import { readFileSync } from "node:fs";
import { join } from "node:path";

/** The day of the Debian packages in the server image, from its Dockerfile, e.g. `2026-11-30`. */
export function packageDate(projectFolder: string): string {
  const text = readFileSync(join(projectFolder, "images", "Dockerfile"), "utf8");
  const date = /^ARG PACKAGES_OF=(\d{4}-\d{2}-\d{2})$/m.exec(text)?.[1];
  if (date === undefined) throw new Error("images/Dockerfile has no line ARG PACKAGES_OF=<date>");
  return date;
}
