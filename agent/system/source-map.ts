import { readFileSync } from "node:fs";
import { SourceMap, type SourceMapPayload } from "node:module";

/** The stack trace of an error with source positions; unchanged when the bundle has no source map. */
export function originalStack({ stack, message }: Error): string {
  const map = readMap();
  if (stack === undefined || !map) return stack ?? message;
  return stack.replace(/([^\s(]+):(\d+):(\d+)/g, (position, file, line, column) => {
    if (file !== __filename) return position;
    const origin = map.findOrigin(Number(line), Number(column));
    if (!("fileName" in origin)) return position;
    return `${origin.fileName}:${origin.lineNumber}:${origin.columnNumber}`;
  });
}

function readMap(): SourceMap | undefined {
  try {
    return new SourceMap(JSON.parse(readFileSync(`${__filename}.map`, "utf8")) as SourceMapPayload);
  } catch {
    return undefined;
  }
}
