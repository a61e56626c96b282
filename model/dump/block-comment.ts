import { slash, star } from "./bytes";

/** Reads a block comment, which can be nested. PostgreSQL manual, 4.1.5. */
export class BlockComment {
  #depth = 1;

  /** Whether a block comment begins at a position. */
  static beginsAt(bytes: Buffer, at: number): boolean {
    return bytes[at] === slash && bytes[at + 1] === star;
  }

  /** True after the closing delimiter. */
  get isOver(): boolean {
    return this.#depth === 0;
  }

  /** Reads up to the end of the comment or to `end`; returns the position after the last byte read. */
  read(bytes: Buffer, from: number, end: number): number {
    let i = from;
    while (i < end && this.#depth > 0) {
      if (BlockComment.beginsAt(bytes, i)) {
        this.#depth++;
        i += 2;
      } else if (bytes[i] === star && bytes[i + 1] === slash) {
        this.#depth--;
        i += 2;
      } else i++;
    }
    return i;
  }
}
