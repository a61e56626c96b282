import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { isMap, parseDocument } from "yaml";

/** A backup in a stack file's section `data`. */
export interface PinnedBackup {
  readonly backup: string;
  /** `data.from`, e.g. `server:prod`; replaces a dump and off-site copies. @default what it is */
  readonly from?: string | undefined;
}

/** The text of a stack file with another backup in `data`, and another origin if `from` is given; everything else, including comments, stays. */
export function withBackup(text: string, backup: string, from?: string): string {
  const document = parseDocument(text);
  const data = ["config", "stagecraft:data"];
  if (from !== undefined) {
    if (!isMap(document.getIn(data))) document.setIn(data, document.createNode({}));
    for (const other of ["dump", "offsite"]) document.deleteIn([...data, other]);
    document.setIn([...data, "from"], from);
  }
  document.setIn([...data, "backup"], backup);
  return document.toString({ lineWidth: 0 });
}

/** Writes another backup into a stack file; `undo` writes the previous text again. */
export function pinBackup(path: string, pinned: PinnedBackup): { readonly undo: () => void } {
  const before = readFileSync(path, "utf8");
  replace(path, withBackup(before, pinned.backup, pinned.from));
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
