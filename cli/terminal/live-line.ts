const frames = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];

/** How often a log that nobody watches gets a line about work that goes on. */
const logSeconds = 5;

/**
 * One line that tells what goes on: on a terminal it is rewritten in place, in a log it is repeated every few seconds
 * when it has changed. Finished lines are printed above it.
 */
export class LiveLine {
  private text: (() => string) | undefined;
  private timer: NodeJS.Timeout | undefined;
  private frame = 0;
  private lastLogged = "";
  private lastLoggedAt = 0;

  constructor(private readonly stream: NodeJS.WriteStream) {}

  /** Shows a line from now on; `text` is asked again whenever it is drawn. */
  show(text: () => string): void {
    this.text = text;
    if (this.timer) return;
    this.lastLoggedAt = Date.now();
    this.timer = setInterval(
      () => {
        this.draw();
      },
      this.stream.isTTY ? 100 : 500,
    );
    this.timer.unref();
    this.draw();
  }

  /** Prints finished lines. */
  print(text: string): void {
    this.clear();
    this.stream.write(`${text}\n`);
    this.draw();
  }

  /** Takes the line away. */
  end(): void {
    clearInterval(this.timer);
    this.timer = undefined;
    this.clear();
    this.text = undefined;
  }

  private draw(): void {
    if (!this.text) return;
    if (!this.stream.isTTY) {
      this.log(this.text());
      return;
    }
    this.frame = (this.frame + 1) % frames.length;
    const line = ` ${frames[this.frame] ?? ""} ${this.text()}`;
    this.stream.write(`\r\u001b[2K${line.slice(0, this.stream.columns - 1)}`);
  }

  private log(line: string): void {
    if (line === this.lastLogged || Date.now() - this.lastLoggedAt < logSeconds * 1000) return;
    this.lastLogged = line;
    this.lastLoggedAt = Date.now();
    this.stream.write(`   ${line}\n`);
  }

  private clear(): void {
    if (this.stream.isTTY && this.text) this.stream.write("\r\u001b[2K");
  }
}
