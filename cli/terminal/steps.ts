import { formatDuration } from "../../model/base/units";
import { stepLine } from "./step-line";
import { type Paint, paintFor } from "../base/paint";
import { LiveLine } from "./live-line";

/** What came of a step: shown behind its name. */
export interface StepResult {
  /** Its name when it is done, where it says more than before, e.g. `Node 22`. */
  readonly title?: string;
  /** How it came out, e.g. `from cache`; the time it took where it says nothing. */
  readonly detail?: string;
}

/** Tells how far a step is; the text behind its name while it runs. */
export type ReportProgress = (text: string) => void;

/** A list of steps on the terminal, each with its progress, its time and what came of it. */
export class StepList {
  private readonly line: LiveLine;
  private readonly paint: Paint;

  constructor(private readonly stream: NodeJS.WriteStream) {
    this.line = new LiveLine(stream);
    this.paint = paintFor(stream);
  }

  /** Does one step and prints its line; a step that fails keeps its line, marked, and raises its error. */
  async run(
    title: string,
    work: (tell: ReportProgress) => Promise<StepResult>,
  ): Promise<StepResult> {
    const started = performance.now();
    const seconds = (): number => (performance.now() - started) / 1000;
    let progress = "";
    this.line.show(() =>
      stepLine("", title, [progress, seconds() < 1 ? "" : formatDuration(Math.floor(seconds()))]),
    );
    try {
      const result = await work((text) => {
        progress = text;
      });
      this.line.end();
      const took = seconds() >= 1 ? formatDuration(seconds()) : "";
      const mark = ` ${this.paint.good("✔")} `;
      this.print(stepLine(mark, result.title ?? title, [result.detail ?? "", took]));
      return result;
    } catch (error) {
      this.line.end();
      this.print(stepLine(` ${this.paint.bad("✘")} `, title, []));
      throw error;
    }
  }

  /** Prints a line under the steps done so far. */
  print(text: string): void {
    this.stream.write(`${text}\n`);
  }
}
