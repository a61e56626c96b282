import { readFileSync } from "node:fs";
import { SourceMap, type SourceMapPayload } from "node:module";

/** The stack of an error by the sources that the bundle was made of; as it is, where there is no map of them. */
export function originalStack({ stack, message }: Error): string {
  const map = readMap();
  if (stack === undefined || !map) return stack ?? message;
  return stack.replace(/([^\s(]+):(\d+):(\d+)/g, (place, file, line, column) => {
    if (file !== __filename) return place;
    const origin = map.findOrigin(Number(line), Number(column));
    if (!("fileName" in origin)) return place;
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
