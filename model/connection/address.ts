/** Formats host and port, e.g. `db.example.com:5432`, `[2001:db8::1]:5432`. */
export function formatAddress({
  host,
  port,
}: {
  readonly host: string;
  readonly port: number;
}): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}

/** Why the agent's container cannot connect to a host, as the rest of a sentence that begins with "must"; `undefined` for a valid host. */
export function addressProblem(host: string): string | undefined {
  if (host.startsWith("/") || host === "") return "be a host name or an IP address";
  if (!/^[\p{L}\p{N}._:-]+$/u.test(host))
    return "be a host name or an IP address, without scheme, port or blanks";
  if (/^(?:localhost|127\..*|::1|0\.0\.0\.0|::)$/i.test(host))
    return "not be a loopback or wildcard address, which is the agent's own container there; use the machine's address in its network, e.g. of its Docker bridge, 172.17.0.1";
  return undefined;
}
