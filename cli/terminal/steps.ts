import { formatDuration } from "../../model/base/units";
import { stepLine } from "./step-line";
import { type Paint, paintFor } from "../base/paint";
import { LiveLine } from "./live-line";

/** Result of a step, shown after its title. */
export interface StepResult {
  /** Title of the finished step, e.g. `Node 22`. @default the title it started with */
  readonly title?: string;
  /** Outcome, e.g. `from cache`. @default none; only the duration is shown */
  readonly detail?: string;
}

/** Shows the progress of a running step: `text` after its title. */
export type ReportProgress = (text: string) => void;

/** A list of steps on the terminal, each with its progress, duration and result. */
export class StepList {
  private readonly line: LiveLine;
  private readonly paint: Paint;

  constructor(private readonly stream: NodeJS.WriteStream) {
    this.line = new LiveLine(stream);
    this.paint = paintFor(stream);
  }

  /** Runs one step and prints its line. A step that fails is marked as failed, and its error is raised. */
  async run(
    title: string,
    work: (report: ReportProgress) => Promise<StepResult>,
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
      const duration = seconds() >= 1 ? formatDuration(seconds()) : "";
      const mark = ` ${this.paint.good("✔")} `;
      this.print(stepLine(mark, result.title ?? title, [result.detail ?? "", duration]));
      return result;
    } catch (error) {
      this.line.end();
      this.print(stepLine(` ${this.paint.bad("✘")} `, title, []));
      throw error;
    }
  }

  /** Prints a warning below the finished steps. */
  warn(text: string): void {
    const [first = "", ...rest] = text.trim().split("\n");
    this.print(`     ${this.paint.warn("warning")}: ${first}`);
    for (const line of rest) this.print(`       ${line}`.trimEnd());
  }

  /** Prints a line below the finished steps. */
  print(text: string): void {
    this.stream.write(`${text}\n`);
  }
}
