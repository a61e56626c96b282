import type { ServerKind } from "../base/names";
import { ownNetwork } from "../pg-hba/judge/required-access";
import type { ConfigProblem } from "../base/config-problem";
import type { StackFileConfig } from "./schema";

/** What is wrong with the application of a stack beside its other sections. */
export function applicationProblems(
  kind: ServerKind | undefined,
  { application, postgres, pgHba }: Partial<StackFileConfig>,
): readonly ConfigProblem[] {
  if (!application) return [];
  const problems: ConfigProblem[] = [];
  if (application.port === postgres?.port) {
    const text = "is PostgreSQL's port already (postgres.port); give another";
    problems.push({ path: "application.port", text });
  }
  const network = pgHba?.application ?? ownNetwork;
  // A development server lets its own network in whatever the application's is.
  if (network !== ownNetwork && kind !== "development") {
    const text =
      "is for an application somewhere else; the one of the section application is in the server's own network: leave this out, and name others in pgHba.rules";
    problems.push({ path: "pgHba.application", text });
  }
  return problems;
}
