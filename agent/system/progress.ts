import { formatBytes, formatDuration, plural } from "../../model/base/units";

/** Seconds between two lines of progress. */
const intervalSeconds = 2;

/** Tells a person on stderr how far a step is, a line every two seconds. */
export class Progress {
  #done = 0;
  #rows = 0;
  #tables = 0;
  readonly #started = Date.now();
  #spoke = Date.now();

  /** `total` is in bytes. */
  constructor(
    private readonly step: string,
    private readonly total: number,
    /** What is being done when all of the total is. */
    private readonly ending = "making indexes and constraints",
  ) {}

  /** More of the total is done. */
  advance(amount: number): void {
    this.#done += amount;
    this.#speak();
  }

  /** This much is done by now, and so many rows of so many tables. */
  update(done: number, rows: number, tables: number): void {
    this.#done = Math.max(this.#done, done);
    this.#rows = Math.max(this.#rows, rows);
    this.#tables = Math.max(this.#tables, tables);
    this.#speak();
  }

  /** The rows of one more table have been read. */
  countRows(rows: number): void {
    this.#rows += rows;
    this.#tables++;
  }

  #speak(): void {
    const now = Date.now();
    if (now - this.#spoke < intervalSeconds * 1000) return;
    this.#spoke = now;
    const share = this.total > 0 ? Math.min(1, this.#done / this.total) : 0;
    const elapsed = (now - this.#started) / 1000;
    const left =
      share > 0.99
        ? ` · ${this.ending}`
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

/** A line for people, on stderr. */
export function logLine(line: string): void {
  process.stderr.write(`${line}\n`);
}
