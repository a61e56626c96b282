import type { Problem } from "./problem";
import { plainPaint, type Paint } from "./paint";

/** What is printed of a problem: what is wrong, then the fix. */
export function problemText(problem: Problem, paint: Paint = plainPaint): string {
  const lines = [`${paint.bad("error")}: ${problem.message}`];
  const fixes = typeof problem.fix === "string" ? [problem.fix] : (problem.fix ?? []);
  fixes.forEach((fix, index) => lines.push(`  ${index === 0 ? "fix" : "   "}  ${fix}`));
  return lines.join("\n");
}
