import { formatAddress } from "./address";

/** Where a connection was to go, and as whom. */
interface Destination {
  readonly host: string;
  readonly port: number;
  readonly user: string;
}

/** What an attempt to connect ended with: SQLSTATE, or the code of the network or of TLS. */
interface Failure {
  readonly code?: string | undefined;
  readonly message: string;
}

/** Why a server does not let the agent in, in one sentence with the fix. */
export function refusalText(to: Destination, { code = "", message }: Failure): string {
  const server = `PostgreSQL at ${formatAddress(to)}`;
  const { user } = to;
  switch (code) {
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return `${server} cannot be found: there is no host ${to.host}; correct address.host, or give an IP address`;
    case "ECONNREFUSED":
      return `${server} is not reachable: the connection is refused; start it there, or correct address and listen_addresses`;
    case "EHOSTUNREACH":
    case "ENETUNREACH":
    case "ETIMEDOUT":
      return `${server} is not reachable: no answer; correct the address, or open the way to it in the firewall`;
    case "28P01":
      return `${server} refuses the password of ${user}; correct superuser.password`;
    case "28000":
      return `${server} does not let ${user} in: ${message}; add a rule for the agent to its pg_hba.conf`;
    case "3D000":
      return `${server} has no database postgres, which the agent works from; make it with: CREATE DATABASE postgres`;
    case "ERR_TLS_CERT_ALTNAME_INVALID":
      return `${server} shows a certificate for another name; use a name that stands in it as address.host, or give it one with ${to.host}`;
    case "CERT_HAS_EXPIRED":
      return `${server} shows a certificate that has ended; renew it there`;
  }
  if (message === "The server does not support SSL connections")
    return `${server} refuses TLS; switch ssl on there, or set tls.mode to "disable" where the network is trusted`;
  if (/^(?:timeout expired|Connection terminated due to connection timeout)$/.test(message))
    return `${server} is not reachable: no answer; correct the address, or open the way to it in the firewall`;
  if (/^(?:UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO)/.test(code))
    return `${server} shows a certificate that tls.ca did not sign (${message}); give the authority that did`;
  return `${server} does not let the agent in: ${message}`;
}

/** Whether it is useless to try again, because the server has answered. */
export function isFinal(code: string | undefined): boolean {
  return code === "28P01" || code === "28000";
}
