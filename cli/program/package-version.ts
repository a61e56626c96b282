import { readFileSync } from "node:fs";
import { join } from "node:path";
import { packageFolder } from "../../tools/folders";

/** The version of Stagecraft. */
export function packageVersion(): string {
  const { version } = JSON.parse(readFileSync(join(packageFolder(), "package.json"), "utf8")) as {
    readonly version: string;
  };
  return version;
}
