import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { parseDocument } from "yaml";

/** The text of a stack file with another backup id in `data.backup`; everything else, including comments, stays. */
export function withBackup(text: string, backup: string): string {
  const document = parseDocument(text);
  document.setIn(["config", "stagecraft:data", "backup"], backup);
  return document.toString({ lineWidth: 0 });
}

/** Writes another backup id into a stack file; `undo` writes the previous text again. */
export function pinBackup(path: string, backup: string): { readonly undo: () => void } {
  const before = readFileSync(path, "utf8");
  replace(path, withBackup(before, backup));
  return {
    undo: () => {
      replace(path, before);
    },
  };
}

function replace(path: string, text: string): void {
  const partial = `${path}.partial`;
  writeFileSync(partial, text);
  renameSync(partial, path);
}
