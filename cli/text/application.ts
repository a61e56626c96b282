import { applicationText, freshErrorLines } from "../../model/application/report";
import type { RestoreResult } from "../../model/restore/protocol";
import type { Observation } from "../../model/observation/observation";
import type { Container } from "../../engine/containers";
import type { Paint } from "../base/paint";

/** A server's application: its container and what the agent observed. */
export interface ApplicationFacts {
  readonly container: Container | undefined;
  readonly observed: Observation["application"];
}

/** State, revision and addresses of the application; no rows for a server without one. */
export function applicationRows(
  { container, observed: seen }: ApplicationFacts,
  paint: Paint,
): string[][] {
  if (!container && !seen) return [];
  const state = applicationState({ container, observed: seen });
  const isHealthy = state === "running" || state === "running, healthy";
  const facts = [
    isHealthy ? paint.good(state) : paint.bad(state),
    ...(seen ? [`revision ${seen.revision}`] : []),
    ...new Set(container?.ports),
  ];
  return [["application", facts.join(" · ")]];
}

function applicationState({ container, observed: seen }: ApplicationFacts): string {
  if (!container) return "its container is missing";
  if (container.state !== "running") return `its container is ${container.state}`;
  if (typeof seen?.problem === "string") return `running, not healthy: ${seen.problem}`;
  if (container.health === "unhealthy") return "running, not healthy";
  if (container.health === "starting") return "running, still starting";
  return seen?.problem === null || container.health === "healthy" ? "running, healthy" : "running";
}

/** Result of a refresh for the application: a row, and one for each new kind of error in its log. */
export function applicationRowsOfRefresh({ application }: RestoreResult): string[][] {
  if (!application) return [];
  const errors = freshErrorLines(application).map((line) => ["", line]);
  return [["application", applicationText(application)], ...errors];
}
