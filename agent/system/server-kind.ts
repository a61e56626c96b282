import { serverKinds, type ServerKind } from "../../model/base/names";
import { AgentError } from "./errors";

/** Kind of the server that the agent belongs to. Raises an {@link AgentError} where the container does not say it. */
export function serverKind(): ServerKind {
  const kind = serverKinds.find((name) => name === process.env.STAGECRAFT_KIND);
  if (kind) return kind;
  throw new AgentError(`STAGECRAFT_KIND must be one of ${serverKinds.join(", ")}; run pulumi up`);
}
