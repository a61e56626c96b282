import { formatBytes } from "../../model/base/units";
import type { ServerStatus } from "../server/server-status";

/** What stopping a server affects. */
export interface DownPlan {
  readonly server: ServerStatus;
  /** Existing volumes. */
  readonly volumes: readonly string[];
  /** Whether the volumes are deleted, too. */
  readonly withData: boolean;
}

/** What `stagecraft down` prints before it asks. */
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
        ? `  data      IS DELETED PERMANENTLY${data}: volumes ${volumes.join(", ")}`
        : `  data      stays${data}: volumes ${volumes.join(", ")}`,
    );
  }
  return lines.join("\n");
}

/** What `stagecraft down` prints when it is done. */
export function downDone({ server, volumes, withData }: DownPlan, duration: string): string {
  const { stack, kind } = server;
  const head = `The ${kind} server ${stack} is down, ${duration}`;
  if (volumes.length === 0) return head;
  if (withData) return `${head}\n  data      deleted: volumes ${volumes.join(", ")}`;
  return [
    head,
    `  data      stays in the volumes ${volumes.join(", ")}`,
    `  restart   npm start -- ${stack}`,
    `  delete    npx stagecraft down ${stack} --data`,
  ].join("\n");
}

/** What `stagecraft down` prints if the server does not exist. */
export function nothingToStop({ server, volumes, withData }: DownPlan): string {
  const { stack } = server;
  if (volumes.length === 0 || withData) return `${stack} does not exist: nothing to do`;
  return [
    `${stack} is already down: nothing to do`,
    `  data      stays in the volumes ${volumes.join(", ")}`,
    `  delete    npx stagecraft down ${stack} --data`,
  ].join("\n");
}
