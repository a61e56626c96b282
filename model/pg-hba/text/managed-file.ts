import { renderPgHba } from "./render";
import type { PgHbaRule } from "../rule/rule";

/** Makes a digest of a text, in hexadecimal: this layer has none of its own. */
export type Digest = (text: string) => string;

const head = /^# Made by Stagecraft from the rules of the stack, digest ([0-9a-f]{16})\. .*\n/;

/** A server's `pg_hba.conf`. Its first line tells what the rest was when it was made, so that a change by hand shows. */
export function renderMadeFile(rules: readonly PgHbaRule[], digest: Digest): string {
  const text = renderPgHba(rules);
  const mark = digest(text).slice(0, 16);
  return `# Made by Stagecraft from the rules of the stack, digest ${mark}. A change by hand is taken back.\n${text}`;
}

/** Whether a file was made by {@link renderMadeFile} and changed since. */
export function isEditedByHand(text: string, digest: Digest): boolean {
  const found = head.exec(text);
  return found !== null && found[1] !== digest(text.slice(found[0].length)).slice(0, 16);
}
