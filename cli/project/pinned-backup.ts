import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { parseDocument } from "yaml";

/** The text of a stack file with another backup; whatever else stands in it, comments too, stays. */
export function withBackup(text: string, backup: string): string {
  const document = parseDocument(text);
  document.setIn(["config", "stagecraft:data", "backup"], backup);
  return document.toString({ lineWidth: 0 });
}

/** Names another backup in a stack file; gives back what was there, to be put back when nothing comes of it. */
export function pinBackup(path: string, backup: string): { readonly putBack: () => void } {
  const before = readFileSync(path, "utf8");
  replace(path, withBackup(before, backup));
  return {
    putBack: () => {
      replace(path, before);
    },
  };
}

function replace(path: string, text: string): void {
  const partial = `${path}.partial`;
  writeFileSync(partial, text);
  renameSync(partial, path);
}
