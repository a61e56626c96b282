import { newline } from "./bytes";

/** The lines by which `pg_dump` marks where a dump begins and ends. */
export type DumpMark = "begin" | "end";

const beginning = "-- PostgreSQL database dump";
const ending = `${beginning} complete`;
const text = Buffer.from(beginning);

/** Which mark a line is, without its line break; `undefined` for all others. */
export function dumpMark(line: string): DumpMark | undefined {
  const mark = line.trimEnd();
  return mark === beginning ? "begin" : mark === ending ? "end" : undefined;
}

/** Finds marks in bytes that are not read as statements: rows, in which a dump was cut before another one was appended. */
export class DumpMarkFinder {
  /** The beginning of a line that may become a mark. */
  #rest = Buffer.alloc(0);
  #atLineStart = true;

  /** Reads the next bytes; returns the marks whose lines have ended. */
  push(bytes: Buffer): readonly DumpMark[] {
    const all = this.#rest.length > 0 ? Buffer.concat([this.#rest, bytes]) : bytes;
    const marks: DumpMark[] = [];
    for (let at = all.indexOf(text); at >= 0; at = all.indexOf(text, at + 1)) {
      const begins = at === 0 ? this.#atLineStart : all[at - 1] === newline;
      const end = all.indexOf(newline, at);
      const mark =
        begins && end >= 0 && end - at < 80 ? dumpMark(all.toString("latin1", at, end)) : undefined;
      if (mark !== undefined) marks.push(mark);
    }
    this.#keep(all);
    return marks;
  }

  /** Keeps the last line if it may be a mark whose end is still to come. */
  #keep(bytes: Buffer): void {
    if (bytes.length === 0) return;
    const start = bytes.lastIndexOf(newline) + 1;
    const begins = start > 0 || this.#atLineStart;
    const line = bytes.subarray(start);
    const length = Math.min(line.length, text.length);
    const isPossible =
      begins && line.length < 80 && line.subarray(0, length).equals(text.subarray(0, length));
    this.#rest = isPossible ? Buffer.from(line) : Buffer.alloc(0);
    this.#atLineStart = isPossible || bytes[bytes.length - 1] === newline;
  }
}

const quotedOrComment = /'(?:[^']|'')*'|"[^"]*"|\$(\w*)\$[^]*?\$\1\$|--([^\n]*)/g;

/** The marks in the comments within a statement: a dump was cut in it before another one was appended. */
export function marksWithin(statement: string): readonly DumpMark[] {
  if (!statement.includes(beginning)) return [];
  const comments = [...statement.matchAll(quotedOrComment)].flatMap(([all, , comment]) =>
    comment === undefined ? [] : [all],
  );
  return comments.flatMap((comment) => dumpMark(comment) ?? []);
}
