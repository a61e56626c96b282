import type { ServerKind } from "../base/names";
import { ownNetwork } from "../pg-hba/judge/required-access";
import type { ConfigProblem } from "../base/config-problem";
import type { StackFileConfig } from "./schema";

/** Conflicts between the section `application` and the other sections of a stack file. */
export function applicationProblems(
  kind: ServerKind | undefined,
  { application, postgres, pgHba }: Partial<StackFileConfig>,
): readonly ConfigProblem[] {
  if (!application) return [];
  const problems: ConfigProblem[] = [];
  if (application.port === postgres?.port) {
    const text = "is already used by PostgreSQL (postgres.port); choose another port";
    problems.push({ path: "application.port", text });
  }
  const network = pgHba?.application ?? ownNetwork;
  // A development server always allows connections from its own network.
  if (network !== ownNetwork && kind !== "development") {
    const text =
      "is for an external application, but the one of the section application is in the server's own network: remove this key, and add other clients to pgHba.rules";
    problems.push({ path: "pgHba.application", text });
  }
  return problems;
}
