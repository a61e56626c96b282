import { slash, star } from "./bytes";

/** A comment between slash-star and star-slash, in which others may stand. PostgreSQL manual, 4.1.5. */
export class BlockComment {
  #depth = 1;

  /** True when a block comment begins at a position. */
  static beginsAt(bytes: Buffer, at: number): boolean {
    return bytes[at] === slash && bytes[at + 1] === star;
  }

  /** True behind the last star-slash. */
  get isOver(): boolean {
    return this.#depth === 0;
  }

  /** Reads on to the end of the comment or to `end`; returns where it stopped. */
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
