import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { parseDocument } from "yaml";

/** The text of a stack file without a user: the entries in `people` and `passwords`. Everything else, including comments, stays. */
export function withoutUser(text: string, user: string): string {
  const document = parseDocument(text);
  const entries = ["people", "passwords"].map((section) => [
    "config",
    `stagecraft:${section}`,
    user,
  ]);
  const found = entries.filter((path) => document.hasIn(path));
  if (found.length === 0) return text;
  for (const path of found) document.deleteIn(path);
  return document.toString({ lineWidth: 0 });
}

/** Removes a user from a stack file. Returns whether the file had one. */
export function removeUser(path: string, user: string): boolean {
  const before = readFileSync(path, "utf8");
  const after = withoutUser(before, user);
  if (after === before) return false;
  writeFileSync(`${path}.partial`, after);
  renameSync(`${path}.partial`, path);
  return true;
}
