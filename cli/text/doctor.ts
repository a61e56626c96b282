import { noColors, type Paint } from "../base/paint";
import { stepLine } from "../terminal/step-line";

/** One thing that was looked at. */
export interface DoctorCheck {
  readonly name: string;
  readonly ok: boolean;
  /** What was found. */
  readonly detail: string;
  /** What to do when it is not as it should be. */
  readonly fix?: string;
}

/** What `stagecraft doctor` prints. */
export function doctorText(findings: readonly DoctorCheck[], paint: Paint = noColors): string {
  const lines = findings.flatMap(({ name, ok, detail, fix }) => {
    const mark = ok ? ` ${paint.good("✔")} ` : ` ${paint.bad("✘")} `;
    const line = stepLine(mark, name, [detail]);
    return fix === undefined || ok ? [line] : [line, `     fix  ${fix}`];
  });
  const missing = findings.filter(({ ok }) => !ok).length;
  lines.push(
    "",
    missing === 0 ? "All is there." : `${missing} of ${findings.length} to put right.`,
  );
  return lines.join("\n");
}
