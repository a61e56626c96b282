import { plainPaint, type Paint } from "../base/paint";
import { stepLine } from "../terminal/step-line";

/** Result of one check. */
export interface DoctorCheck {
  readonly name: string;
  readonly ok: boolean;
  /** Observed state. */
  readonly detail: string;
  /** What to do if the check failed. */
  readonly fix?: string;
}

/** What `stagecraft doctor` prints. */
export function doctorText(checks: readonly DoctorCheck[], paint: Paint = plainPaint): string {
  const lines = checks.flatMap(({ name, ok, detail, fix }) => {
    const mark = ok ? ` ${paint.good("✔")} ` : ` ${paint.bad("✘")} `;
    const line = stepLine(mark, name, [detail]);
    return fix === undefined || ok ? [line] : [line, `     fix  ${fix}`];
  });
  const failed = checks.filter(({ ok }) => !ok).length;
  lines.push(
    "",
    failed === 0 ? "All checks passed." : `${failed} of ${checks.length} checks failed.`,
  );
  return lines.join("\n");
}

/** Days after which the packages of the server image should be renewed. */
const packageDays = 35;

/** How old the packages of the server image are, and what to do when Debian has published fixes since. */
export function packageAgeText(date: string, today: Date): string {
  const days = Math.floor((today.getTime() - Date.parse(date)) / 86_400_000);
  if (days <= packageDays) return `packages of ${date}`;
  return `packages of ${date}, ${days} days old: write today's date in images/Dockerfile and run up for fixes`;
}
