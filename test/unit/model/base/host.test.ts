import { describe, expect, test } from "vitest";
import {
  hostProblem,
  hostSchema,
  connectAddress,
  sshTunnelCommand,
} from "../../../../model/base/host";
import { parseStackConfig } from "../../../../model/stack-file/parse";

describe("where a server runs", () => {
  test.each([
    "local",
    "ssh://staging.example.com",
    "ssh://ops@staging.example.com",
    "ssh://ops@staging.example.com:2222",
    "ssh://ops@192.0.2.7:65535",
    "ssh://ops@[2001:db8::7]:22",
    "ssh://a-name_of.ssh-config",
  ])("may be %s", (host) => {
    expect(hostSchema.parse(host)).toBe(host);
  });

  test.each([
    "",
    "Local",
    "staging.example.com",
    "ops@staging.example.com",
    "tcp://staging.example.com:2375",
    "ssh://",
    "ssh://ops@",
    "ssh://ops@staging.example.com/",
    "ssh://ops@staging.example.com:0",
    "ssh://ops@staging.example.com:65536",
    "ssh://-oProxyCommand=id",
    "ssh://-l@staging.example.com",
    "ssh://ops@staging.example.com -v",
    "ssh://ops:secret@staging.example.com",
    "ssh://ops@staging.example.com\n",
  ])("may not be %j", (host) => {
    expect(parseStackConfig("dev", { host }).problems).toContainEqual({
      path: "host",
      text: `must be local or an address like ssh://ops@staging.example.com, got ${JSON.stringify(host)}`,
    });
  });

  test("leads to its port by a tunnel, which this machine needs none of", () => {
    expect(sshTunnelCommand("ssh://ops@staging.example.com:2222", "127.0.0.1", 15433)).toBe(
      "ssh -N -L 15433:127.0.0.1:15433 ssh://ops@staging.example.com:2222",
    );
    expect(sshTunnelCommand("ssh://ops@staging.example.com", "::", 15433)).toBe(
      "ssh -N -L 15433:[::1]:15433 ssh://ops@staging.example.com",
    );
    expect(sshTunnelCommand("local", "127.0.0.1", 15433)).toBeUndefined();
  });

  test("is reached by its own programs at the address it answers at, or at loopback where it answers at all", () => {
    const addresses = ["127.0.0.1", "0.0.0.0", "::", "192.0.2.7", "2001:db8::7"];
    expect(addresses.map(connectAddress)).toEqual([
      ...["127.0.0.1", "127.0.0.1", "[::1]", "192.0.2.7", "[2001:db8::7]"],
    ]);
  });
});

const host = "ssh://ops@staging.example.com";

describe("a host that cannot be used", () => {
  test.each([
    ["ssh: Could not resolve hostname staging.example.com: Name or service not known\r\n"],
    ["ssh: connect to host staging.example.com port 22: Connection timed out\r\n"],
    ["Connection closed by 192.0.2.7 port 22\r\n"],
    ["Timeout, server staging.example.com not responding.\r\n"],
  ])("is told with ssh's own words: %s", (stderr) => {
    const { what, fix } = hostProblem(host, stderr);
    expect(what).toBe(`${host} cannot be reached: ${stderr.trim().replace("ssh: ", "")}`);
    expect(fix).toBe(`check its name and port, and that sshd is running there: ssh ${host}`);
  });

  test("and says nothing is told all the same", () => {
    expect(hostProblem(host, "").what).toBe(`${host} cannot be reached: no answer`);
  });

  test.each([
    [
      "WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!\nHost key for staging.example.com has changed and you have requested strict checking.\nHost key verification failed.",
      /^the host key of ssh:\S+ has changed/,
      /ssh-keygen -R "staging\.example\.com"/,
    ],
    [
      "No ED25519 host key is known for staging.example.com and you have requested strict checking.\nHost key verification failed.",
      /^the host key of ssh:\S+ is unknown on this machine$/,
      /^connect once manually/,
    ],
    [
      "ops@staging.example.com: Permission denied (publickey,password).",
      /^ssh:\S+ denies access: Permission denied \(publickey,password\)$/,
      /authorized_keys/,
    ],
    [
      "Received disconnect from 192.0.2.7 port 22:2: Too many authentication failures",
      /^ssh:\S+ denies access: Too many authentication failures$/,
      /authorized_keys/,
    ],
    ["sh: 1: docker: not found", /^Docker is not installed on ssh:\S+$/, /install it there/],
    ["zsh:1: command not found: docker", /^Docker is not installed on ssh:\S+$/, /install/],
    [
      "permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock: connect: permission denied",
      /^the user of ssh:\S+ may not use the Docker engine there$/,
      /usermod -aG docker/,
    ],
    [
      "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?",
      /^the Docker engine of ssh:\S+ does not answer$/,
      /^start it there/,
    ],
    [
      `sshd of ${host} does not lead to /var/run/docker.sock`,
      /^sshd of ssh:\S+ does not forward \/var\/run\/docker\.sock$/,
      /AllowStreamLocalForwarding yes/,
    ],
    ["ssh is not installed on this machine", /^ssh is not installed/, /openssh-client/],
  ])("is told apart: %s", (stderr, what, fix) => {
    expect(hostProblem(host, stderr)).toEqual({
      what: expect.stringMatching(what) as string,
      fix: expect.stringMatching(fix) as string,
    });
  });
});
