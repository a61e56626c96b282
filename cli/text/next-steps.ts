import { connectAddress, sshTunnelCommand } from "../../model/base/host";
import type { ServerKind } from "../../model/base/names";
import { alignColumns } from "../base/table";

/** A running server, as far as the next steps need it. */
export interface UpServer {
  readonly stack: string;
  readonly kind: ServerKind;
  /** Where it runs: `local` or an address. */
  readonly host: string;
  /** Its published address on that host, e.g. `127.0.0.1:15432`; `undefined` if none is published. */
  readonly address: string | undefined;
  readonly database: string | undefined;
}

/** The block below a finished `npm start`: how to connect, what to do next, how to stop and remove the server. */
export function nextText({ stack, kind, host, address, database }: UpServer): string {
  const rows = [["psql", `npx stagecraft psql ${stack}`]];
  if (address !== undefined && database !== undefined) {
    const name = encodeURIComponent(database);
    const colon = address.lastIndexOf(":");
    const [at, port] = [address.slice(0, colon), Number(address.slice(colon + 1))];
    const tunnel = sshTunnelCommand(host, at, port);
    if (tunnel !== undefined) rows.push(["tunnel", `${tunnel}   (keep it open while you connect)`]);
    // Production accepts TLS connections only.
    const isChecked = kind === "production";
    const options = isChecked ? `?sslmode=verify-full&sslrootcert=${stack}-ca.pem` : "";
    rows.push([
      "database",
      `postgresql://${name}@${connectAddress(at)}:${port}/${name}${options}   (password: npx stagecraft password ${stack})`,
    ]);
    if (isChecked) rows.push(["CA", `npx stagecraft ca ${stack} > ${stack}-ca.pem`]);
  }
  rows.push(
    ["next", "npx stagecraft status · docs/configuration.md"],
    ["stop it", `npx stagecraft down ${stack}`],
    ["remove it", `npx stagecraft down ${stack} --data   (with its data)`],
  );
  return [` Your ${kind} server is up`, ...alignColumns(rows, "   ")].join("\n");
}
