import { z } from "zod";

/** The default host: the Docker engine of this machine, or the one that DOCKER_HOST names. */
export const localHost = "local";

const address =
  /^ssh:\/\/(?:\w[\w.-]*@)?(?:[A-Za-z0-9][A-Za-z0-9._-]*|\[[0-9A-Fa-f:.]+\])(?::([1-9]\d{0,4}))?$/;

/**
 * Where a server runs: `local`, or a machine reached over SSH, `ssh://user@host[:port]`. User, port and key may also be
 * set in `~/.ssh/config` for this host name.
 */
export const hostSchema = z.string().refine((host) => host === localHost || isAddress(host), {
  error: "must be local or an address like ssh://ops@staging.example.com",
});

function isAddress(host: string): boolean {
  const match = address.exec(host);
  return match !== null && Number(match[1] ?? 22) <= 65_535;
}

/** Whether an address is a wildcard: a server can listen on it, clients cannot connect to it. */
export function isWildcardAddress(address: string): boolean {
  return address === "0.0.0.0" || address === "::";
}

/** The address by which programs on the same host connect to a server listening on an address, e.g. `127.0.0.1`, `[::1]`. */
export function connectAddress(address: string): string {
  if (address === "0.0.0.0") return "127.0.0.1";
  if (address === "::") return "[::1]";
  return address.includes(":") ? `[${address}]` : address;
}

/** The ssh command that forwards a port of a host to this machine; `undefined` for the local host. */
export function sshTunnelCommand(host: string, address: string, port: number): string | undefined {
  if (host === localHost) return undefined;
  return `ssh -N -L ${port}:${connectAddress(address)}:${port} ${host}`;
}

/** Why the Docker engine of a remote host cannot be used, and the fix. */
export interface HostProblem {
  readonly what: string;
  readonly fix: string;
}

/** Explains why a host cannot be used, from the stderr of ssh or of docker over ssh. */
export function hostProblem(host: string, stderr: string): HostProblem {
  for (const [pattern, make] of knownProblems) {
    const match = pattern.exec(stderr);
    if (match) return make(host, match[1] ?? "");
  }
  const reason = stderr
    .trim()
    .split("\n")
    .at(-1)
    ?.trim()
    .replace(/^ssh: /, "");
  return {
    what: `${host} cannot be reached: ${reason || "no answer"}`,
    fix: `check its name and port, and that sshd is running there: ssh ${host}`,
  };
}

type ProblemOf = (host: string, found: string) => HostProblem;

// Messages of OpenSSH (ssh.c, sshconnect.c) and of the docker CLI.
const knownProblems: readonly (readonly [RegExp, ProblemOf])[] = [
  [
    /ssh is not installed/,
    () => ({
      what: "ssh is not installed on this machine",
      fix: "sudo apt-get install openssh-client",
    }),
  ],
  [
    /host key for (\S+) has changed/i,
    (host, name) => ({
      what: `the host key of ${host} has changed, so it may be another machine`,
      fix: `ask its administrator; if the key was replaced: ssh-keygen -R "${name}", then compare the new key: ssh ${host}`,
    }),
  ],
  [
    /host key is known for|host key verification failed/i,
    (host) => ({
      what: `the host key of ${host} is unknown on this machine`,
      fix: `connect once manually and compare the host key: ssh ${host}`,
    }),
  ],
  [
    /(Permission denied \([^)]*\)|Too many authentication failures)/,
    (host, reason) => ({
      what: `${host} denies access: ${reason}`,
      fix: `add your public key to ~/.ssh/authorized_keys there, then check: ssh ${host}`,
    }),
  ],
  [
    /docker: (?:command )?not found|command(?: not found)?: docker/i,
    (host) => ({
      what: `Docker is not installed on ${host}`,
      fix: "install it there: https://docs.docker.com/engine/install/",
    }),
  ],
  [
    /permission denied.*docker/i,
    (host) => ({
      what: `the user of ${host} may not use the Docker engine there`,
      fix: 'there: sudo usermod -aG docker "$USER"',
    }),
  ],
  [
    /cannot connect to the docker daemon|error during connect/i,
    (host) => ({
      what: `the Docker engine of ${host} does not answer`,
      fix: "start it there: sudo systemctl enable --now docker",
    }),
  ],
  [
    /does not lead to (\S+)/,
    (host, socket) => ({
      what: `sshd of ${host} does not forward ${socket}`,
      fix: "there, in /etc/ssh/sshd_config: AllowStreamLocalForwarding yes",
    }),
  ],
];
