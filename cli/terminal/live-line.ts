import { hasControlCodes } from "../base/control-codes";

const frames = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];

/** Minimum interval between two progress lines where the output is not a terminal. */
const logSeconds = 5;

/**
 * A progress line. On a terminal it is rewritten in place; elsewhere it is printed again every few seconds when it has
 * changed. Finished lines are printed above it.
 */
export class LiveLine {
  private text: (() => string) | undefined;
  private timer: NodeJS.Timeout | undefined;
  private frame = 0;
  private lastLogged = "";
  private lastLoggedAt = 0;

  private readonly rewrites: boolean;

  constructor(private readonly stream: NodeJS.WriteStream) {
    this.rewrites = hasControlCodes(stream);
  }

  /** Starts to show a line; `text` is called each time it is drawn. */
  show(text: () => string): void {
    this.text = text;
    if (this.timer) return;
    this.lastLoggedAt = Date.now();
    this.timer = setInterval(
      () => {
        this.draw();
      },
      this.rewrites ? 100 : 500,
    );
    this.timer.unref();
    this.draw();
  }

  /** Prints finished lines above the progress line. */
  print(text: string): void {
    this.clear();
    this.stream.write(`${text}\n`);
    this.draw();
  }

  /** Removes the line. */
  end(): void {
    clearInterval(this.timer);
    this.timer = undefined;
    this.clear();
    this.text = undefined;
  }

  private draw(): void {
    if (!this.text) return;
    if (!this.rewrites) {
      this.log(this.text());
      return;
    }
    this.frame = (this.frame + 1) % frames.length;
    const line = ` ${frames[this.frame] ?? ""} ${this.text()}`;
    this.stream.write(`\r\u001b[2K${fitWords(line, this.stream.columns - 1)}`);
  }

  private log(line: string): void {
    if (line === this.lastLogged || Date.now() - this.lastLoggedAt < logSeconds * 1000) return;
    this.lastLogged = line;
    this.lastLoggedAt = Date.now();
    this.stream.write(`   ${line}\n`);
  }

  private clear(): void {
    if (this.rewrites && this.text) this.stream.write("\r\u001b[2K");
  }
}

/** A line of at most `width` characters: a longer one ends after a whole word, with an ellipsis. */
export function fitWords(line: string, width: number): string {
  if (line.length <= width) return line;
  const start = line.slice(0, Math.max(0, width - 1));
  const end = /\s/.test(line.charAt(start.length)) ? start.length : start.search(/\s+\S*$/);
  return `${(end > 2 ? start.slice(0, end) : start).trimEnd()}…`;
}
