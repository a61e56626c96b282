import { formatAddress } from "./address";

/** Server and role of a connection attempt. */
interface Destination {
  readonly host: string;
  readonly port: number;
  readonly user: string;
}

/** Error of a connection attempt: `code` is a SQLSTATE, or a network or TLS error code. */
interface Failure {
  readonly code?: string | undefined;
  readonly message: string;
}

/** Explains a failed connection attempt of the agent, in one sentence with the fix. */
export function connectionErrorText(to: Destination, { code = "", message }: Failure): string {
  const server = `PostgreSQL at ${formatAddress(to)}`;
  const { user } = to;
  switch (code) {
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return `${server} cannot be found: host ${to.host} does not resolve; correct address.host, or use an IP address`;
    case "ECONNREFUSED":
      return `${server} is not reachable (ECONNREFUSED); start it there, or correct address and listen_addresses`;
    case "EHOSTUNREACH":
    case "ENETUNREACH":
    case "ETIMEDOUT":
      return `${server} is not reachable: no answer; correct the address, or allow the connection in the firewall`;
    case "28P01":
      return `${server} rejects the password of ${user}; correct superuser.password`;
    case "28000":
      return `${server} rejects ${user}: ${message}; add a rule for the agent to its pg_hba.conf`;
    case "3D000":
      return `${server} has no database postgres, which the agent connects to; create it with: CREATE DATABASE postgres`;
    case "ERR_TLS_CERT_ALTNAME_INVALID":
      return `${server} has a certificate for another name; set address.host to a name in it, or issue a certificate for ${to.host}`;
    case "CERT_HAS_EXPIRED":
      return `${server} has an expired certificate; renew it there`;
  }
  if (message === "The server does not support SSL connections")
    return `${server} does not support TLS; set ssl = on there, or tls.mode: "disable" if the network is trusted`;
  if (/^(?:timeout expired|Connection terminated due to connection timeout)$/.test(message))
    return `${server} is not reachable: no answer; correct the address, or allow the connection in the firewall`;
  if (/^(?:UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO)/.test(code))
    return `${server} has a certificate that is not signed by tls.ca (${message}); set tls.ca to the CA that signed it`;
  return `${server} rejects the agent's connection: ${message}`;
}

/** Whether the server rejected the authentication, so that a retry is useless. */
export function isAuthenticationError(code: string | undefined): boolean {
  return code === "28P01" || code === "28000";
}
