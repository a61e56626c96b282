import type { Problem } from "./problem";
import { noColors, type Paint } from "./paint";

/** A problem as a person sees it: what is wrong, then the fix. */
export function problemText(problem: Problem, paint: Paint = noColors): string {
  const lines = [`${paint.bad("error")}: ${problem.message}`];
  const fixes = typeof problem.fix === "string" ? [problem.fix] : (problem.fix ?? []);
  fixes.forEach((fix, index) => lines.push(`  ${index === 0 ? "fix" : "   "}  ${fix}`));
  return lines.join("\n");
}
