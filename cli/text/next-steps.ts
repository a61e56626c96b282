import { connectAddress, sshTunnelCommand } from "../../model/base/host";
import type { ServerKind } from "../../model/base/names";
import { alignColumns } from "../base/table";

/** What a person needs to know of a server that is up. */
export interface UpServer {
  readonly stack: string;
  readonly kind: ServerKind;
  /** Where it runs: `local` or an address. */
  readonly host: string;
  /** Where it answers there: `127.0.0.1:15432`; absent where nothing is published. */
  readonly address: string | undefined;
  readonly database: string | undefined;
}

/** The block under a finished `npm start`: what to do next, and how to stop and remove everything. */
export function nextText({ stack, kind, host, address, database }: UpServer): string {
  const rows = [["psql", `npx stagecraft psql ${stack}`]];
  if (address !== undefined && database !== undefined) {
    const name = encodeURIComponent(database);
    const colon = address.lastIndexOf(":");
    const [at, port] = [address.slice(0, colon), Number(address.slice(colon + 1))];
    const tunnel = sshTunnelCommand(host, at, port);
    if (tunnel !== undefined) rows.push(["tunnel", `${tunnel}   (while it is needed)`]);
    // Production lets nobody in without TLS.
    const isChecked = kind === "production";
    const options = isChecked ? `?sslmode=verify-full&sslrootcert=${stack}-ca.pem` : "";
    rows.push([
      "database",
      `postgresql://${name}@${connectAddress(at)}:${port}/${name}${options}   (password: npx stagecraft password ${stack})`,
    ]);
    if (isChecked) rows.push(["its CA", `npx stagecraft ca ${stack} > ${stack}-ca.pem`]);
  }
  rows.push(
    ["next", "npx stagecraft status · docs/configuration.md"],
    ["stop it", `npx stagecraft down ${stack}`],
    ["remove it", `npx stagecraft down ${stack} --data   (with its data)`],
  );
  return [` Your ${kind} server is up`, ...alignColumns(rows, "   ")].join("\n");
}
