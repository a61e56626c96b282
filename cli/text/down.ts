import { formatBytes } from "../../model/base/units";
import type { ServerStatus } from "../server/server-status";

/** What is about to happen to a server that goes down. */
export interface DownPlan {
  readonly server: ServerStatus;
  /** The volumes that are there. */
  readonly volumes: readonly string[];
  /** Whether the volumes go as well. */
  readonly withData: boolean;
}

/** What `stagecraft down` says before it asks. */
export function downWarning({ server, volumes, withData }: DownPlan): string {
  const { stack, kind, observation } = server;
  const lines = [
    `This stops the ${kind} server ${stack} and removes its containers and its network.`,
  ];
  const connections = (observation?.databases ?? []).reduce(
    (sum, database) => sum + database.connections,
    0,
  );
  if (connections > 0) {
    lines.push(
      `  in use    ${connections === 1 ? "1 connection is" : `${connections} connections are`} open now`,
    );
  }
  if (volumes.length > 0) {
    const contents = (observation?.databases ?? [])
      .map(({ name, bytes }) => `${name}, ${formatBytes(bytes)}`)
      .join("; ");
    const data = contents === "" ? "" : ` (${contents})`;
    lines.push(
      withData
        ? `  data      IS DELETED FOR GOOD${data}: volumes ${volumes.join(", ")}`
        : `  data      stays${data}: volumes ${volumes.join(", ")}`,
    );
  }
  return lines.join("\n");
}

/** What `stagecraft down` says when it is done. */
export function downDone({ server, volumes, withData }: DownPlan, took: string): string {
  const { stack, kind } = server;
  const head = `The ${kind} server ${stack} is down, ${took}`;
  if (volumes.length === 0) return head;
  if (withData) return `${head}\n  data      deleted: volumes ${volumes.join(", ")}`;
  return [
    head,
    `  data      stays in the volumes ${volumes.join(", ")}`,
    `  again     npm start -- ${stack}`,
    `  delete    npx stagecraft down ${stack} --data`,
  ].join("\n");
}

/** What `stagecraft down` says of a server of which nothing is there. */
export function nothingToStop({ server, volumes, withData }: DownPlan): string {
  const { stack } = server;
  if (volumes.length === 0 || withData) return `${stack} is not there: nothing to do`;
  return [
    `${stack} is down already: nothing to do`,
    `  data      stays in the volumes ${volumes.join(", ")}`,
    `  delete    npx stagecraft down ${stack} --data`,
  ].join("\n");
}
