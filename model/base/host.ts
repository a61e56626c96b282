import { z } from "zod";

/** The host of a server that says nothing else: the engine of this machine, or the one that DOCKER_HOST names. */
export const localHost = "local";

const address =
  /^ssh:\/\/(?:\w[\w.-]*@)?(?:[A-Za-z0-9][A-Za-z0-9._-]*|\[[0-9A-Fa-f:.]+\])(?::([1-9]\d{0,4}))?$/;

/**
 * Where a server runs: `local`, or another machine that SSH leads to, `ssh://user@host[:port]`. User, port, key and the
 * like may stand in `~/.ssh/config` as well, under the name that is given here.
 */
export const hostSchema = z.string().refine((host) => host === localHost || isAddress(host), {
  error: "must be local, or an address like ssh://ops@staging.example.com",
});

function isAddress(host: string): boolean {
  const match = address.exec(host);
  return match !== null && Number(match[1] ?? 22) <= 65_535;
}

/** Whether an address stands for all that a host has: nothing that a client calls it by. */
export function isEveryAddress(address: string): boolean {
  return address === "0.0.0.0" || address === "::";
}

/** What the host's own programs find a server by that answers at an address: `127.0.0.1`, `[::1]`. */
export function reachableAt(address: string): string {
  if (address === "0.0.0.0") return "127.0.0.1";
  if (address === "::") return "[::1]";
  return address.includes(":") ? `[${address}]` : address;
}

/** What brings a port of a host to this machine's 127.0.0.1; `undefined` where it is there already. */
export function tunnelTo(host: string, address: string, port: number): string | undefined {
  if (host === localHost) return undefined;
  return `ssh -N -L ${port}:${reachableAt(address)}:${port} ${host}`;
}

/** Why the engine of another machine cannot be used, and what to do about it. */
export interface HostProblem {
  readonly what: string;
  readonly fix: string;
}

/** The problem with a host, from what ssh wrote to stderr, or docker behind it. */
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
    fix: `check its name and port, and that sshd runs there: ssh ${host}`,
  };
}

type ProblemOf = (host: string, found: string) => HostProblem;

// The texts of ssh are OpenSSH's (ssh.c, sshconnect.c), those of docker its command line's.
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
      what: `${host} shows another key than the one that is known, so it may be another machine`,
      fix: `ask who runs it; if it was given a new key: ssh-keygen -R "${name}", then compare keys by: ssh ${host}`,
    }),
  ],
  [
    /host key is known for|host key verification failed/i,
    (host) => ({
      what: `the key of ${host} is not known on this machine`,
      fix: `connect once by hand, and compare the key that it shows: ssh ${host}`,
    }),
  ],
  [
    /(Permission denied \([^)]*\)|Too many authentication failures)/,
    (host, reason) => ({
      what: `${host} does not let you in: ${reason}`,
      fix: `put your public key into ~/.ssh/authorized_keys there, until this works: ssh ${host}`,
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
