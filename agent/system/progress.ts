import { formatBytes, formatDuration, plural } from "../../model/base/units";

/** Seconds between two progress lines. */
const intervalSeconds = 2;

/** Reports the progress of a step on stderr, one line every two seconds. */
export class Progress {
  #done = 0;
  #rows = 0;
  #tables = 0;
  readonly #started = Date.now();
  #reported = Date.now();

  /** `total` is in bytes. */
  constructor(
    private readonly step: string,
    private readonly total: number,
    /** What the step does after the last byte. */
    private readonly lastPhase = "creating indexes and constraints",
  ) {}

  /** Adds to the bytes done. */
  advance(amount: number): void {
    this.#done += amount;
    this.#report();
  }

  /** Sets the bytes, rows and tables done so far; a lower number than before is ignored. */
  update(done: number, rows: number, tables: number): void {
    this.#done = Math.max(this.#done, done);
    this.#rows = Math.max(this.#rows, rows);
    this.#tables = Math.max(this.#tables, tables);
    this.#report();
  }

  /** Adds one table and its rows. */
  countRows(rows: number): void {
    this.#rows += rows;
    this.#tables++;
  }

  #report(): void {
    const now = Date.now();
    if (now - this.#reported < intervalSeconds * 1000) return;
    this.#reported = now;
    const share = this.total > 0 ? Math.min(1, this.#done / this.total) : 0;
    const elapsed = (now - this.#started) / 1000;
    const left =
      share > 0.99
        ? ` · ${this.lastPhase}`
        : share > 0.02
          ? ` · ${formatDuration((elapsed * (1 - share)) / share)} left`
          : "";
    const rows = this.#rows > 0 ? ` · ${(this.#rows / 1e6).toFixed(1)} M rows` : "";
    const tables = this.#tables > 0 ? ` · ${plural(this.#tables, "table")}` : "";
    logLine(
      `${this.step} ${Math.floor(share * 100)} % · ${formatBytes(this.#done)} of ${formatBytes(this.total)}${rows}${tables}${left}`,
    );
  }
}

/** Writes a line to stderr, which the CLI shows and the container logs. */
export function logLine(line: string): void {
  process.stderr.write(`${line}\n`);
}
