import { styleText } from "node:util";
import { hasControlCodes } from "./control-codes";

/** Functions that highlight text: by colours on a terminal, else not at all. */
export interface Paint {
  readonly good: (text: string) => string;
  readonly bad: (text: string) => string;
  readonly warn: (text: string) => string;
  readonly faint: (text: string) => string;
  readonly strong: (text: string) => string;
}

const same = (text: string): string => text;

/** Leaves text as it is. */
export const plainPaint: Paint = { good: same, bad: same, warn: same, faint: same, strong: same };

/** Colours where the stream is a terminal that has them and `NO_COLOR` is not set. */
export function paintFor(stream: NodeJS.WriteStream): Paint {
  if (!hasControlCodes(stream) || (process.env["NO_COLOR"] ?? "") !== "") return plainPaint;
  const style =
    (format: Parameters<typeof styleText>[0]) =>
    (text: string): string =>
      styleText(format, text, { validateStream: false });
  return {
    good: style("green"),
    bad: style("red"),
    warn: style("yellow"),
    faint: style("dim"),
    strong: style("bold"),
  };
}
