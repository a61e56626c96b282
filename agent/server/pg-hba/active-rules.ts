import path from "node:path";
import { markerOf } from "../../../model/pg-hba/text/managed-file";
import { currentConnection } from "../../postgres/external-connection";
import { socketFolder } from "../../postgres/target";
import { probe, type Probe } from "./probe";

/**
 * Whether PostgreSQL uses the rules of a file, by its answer to the role that the marker of the file names: no other rules
 * reject that role. `undefined` for a file without a marker, or if PostgreSQL is not able to answer now.
 */
export async function areRulesActive(text: string): Promise<boolean | undefined> {
  const marker = markerOf(text);
  // A rule for the socket says nothing about the network, nor the reverse.
  if (marker?.type !== (currentConnection() ? "host" : "local")) return undefined;
  const { user } = marker;
  const answer = await probe({ ...target(), user, database: "postgres", replication: false }).catch(
    () => undefined,
  );
  if (answer === undefined || answer.kind === "no TLS") return undefined;
  if (answer.kind !== "rejected") return false;
  const { code, message } = answer.error;
  // Other errors, e.g. too many connections, come before PostgreSQL looks at the rules.
  if (!code.startsWith("28")) return undefined;
  return message.startsWith("pg_hba.conf ");
}

function target(): Pick<Probe, "to" | "tls"> {
  const external = currentConnection();
  if (!external) return { to: { path: path.join(socketFolder, ".s.PGSQL.5432") }, tls: false };
  const { host, port, sslmode } = external;
  return { to: { host, port }, tls: sslmode !== "disable" };
}
