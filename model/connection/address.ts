/** An address as people write it; IPv6 in brackets. */
export function formatAddress({
  host,
  port,
}: {
  readonly host: string;
  readonly port: number;
}): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}

/** What the address of a server must be for the agent's container to reach it; the sentence that follows "must", or `undefined`. */
export function addressProblem(host: string): string | undefined {
  if (host.startsWith("/") || host === "") return "be a host name or an IP address";
  if (!/^[\p{L}\p{N}._:-]+$/u.test(host)) return "be a host name or an IP address alone";
  if (/^(?:localhost|127\..*|::1|0\.0\.0\.0|::)$/i.test(host))
    return "not lead to the agent's own container, as this one does there; give the address of the machine in its network, e.g. that of its Docker bridge, 172.17.0.1";
  return undefined;
}
