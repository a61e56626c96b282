import { execa } from "execa";
import { randomBytes } from "node:crypto";
import type { Answer } from "../../../agent/server/pg-hba/startup-messages";
import { ensureServerImage } from "../../../cli/server/server-image";
import { docker } from "../servers/server";
import { bundleProgram } from "../programs/bundle";
import { checkout } from "../files/checkout";

/** A connection to be tried. */
export interface HbaTry {
  /** The address it comes from; none for the Unix socket. */
  readonly address?: string;
  readonly tls: boolean;
  readonly user: string;
  readonly database: string;
  readonly replication: boolean;
}

/** Rules, and connections to be tried against them. */
export interface HbaCase {
  /** Texts by their paths beside `pg_hba.conf`, which is one of them. */
  readonly files: Readonly<Record<string, string>>;
  readonly tries: readonly HbaTry[];
}

export interface HbaJob {
  /** SQL that makes the roles. */
  readonly setup: string;
  readonly cases: readonly HbaCase[];
}

/** What PostgreSQL did with a connection. */
export interface HbaAnswer {
  readonly answer: Answer;
  /** `pg_hba.conf:7`, where the log tells it. */
  readonly decidedBy?: string;
}

/** A row of `pg_hba_file_rules`. PostgreSQL manual, 53.2. */
export interface HbaRow {
  readonly file_name: string;
  readonly line_number: number;
  /** Why PostgreSQL refuses the line. */
  readonly error: string | null;
  readonly [column: string]: unknown;
}

/** What PostgreSQL made of a case. */
export interface HbaOutcome {
  readonly rows: readonly HbaRow[];
  readonly answers: readonly HbaAnswer[];
}

export interface HbaRun {
  /** The addresses of PostgreSQL's machine, with prefix lengths. */
  readonly interfaces: readonly string[];
  readonly outcomes: readonly HbaOutcome[];
}

/** Addresses of its loopback device besides 127.0.0.1 and ::1. */
const addresses = [
  ...["10.20.0.5/24", "172.30.255.254/12", "192.0.2.77/28", "198.51.100.1/32"],
  ...["2001:db8::5/64", "2001:db8:ffff::1/128", "fd00:abcd::1/48"],
];

/** Host names that its resolver knows; of the other addresses it says at once that they have none. */
export const hostNames: Readonly<Record<string, string>> = {
  "10.20.0.5": "alpha.example.com",
  "10.20.0.6": "Beta.Example.com",
  "192.0.2.77": "gamma.example.org",
  "2001:db8::5": "delta.example.com",
};

/** Gives addresses to the loopback device; without the usual tools, which the image has no need of. */
const addAddresses = `
use Socket qw(AF_INET AF_INET6 SOCK_DGRAM inet_aton inet_pton pack_sockaddr_in);
my ($set_address, $set_mask, $loopback, $aliases) = (0x8916, 0x891c, 1, 0);
for (@ARGV) {
  my ($ip, $length) = split m{/};
  if ($ip =~ /:/) {
    socket(my $s, AF_INET6, SOCK_DGRAM, 0) or die $!;
    ioctl($s, $set_address, pack("a16 L l", inet_pton(AF_INET6, $ip), $length, $loopback)) or die "$_: $!";
    next;
  }
  socket(my $s, AF_INET, SOCK_DGRAM, 0) or die $!;
  my $name = "lo:" . ++$aliases;
  my $mask = pack("N", (0xffffffff << (32 - $length)) & 0xffffffff);
  for ([$set_address, inet_aton($ip)], [$set_mask, $mask]) {
    my ($request, $value) = @$_;
    ioctl($s, $request, pack("a16 a24", $name, pack_sockaddr_in(0, $value))) or die "$_: $!";
  }
}`;

/** Has a PostgreSQL of its own, in a container with many addresses, decide over all cases. */
export async function runHbaCases(job: HbaJob): Promise<HbaRun> {
  const { tag } = await ensureServerImage(checkout, () => undefined);
  const name = `sct-hba-${randomBytes(4).toString("hex")}`;
  const rights = ["--user", "root", "--cap-drop", "ALL", "--cap-add", "NET_ADMIN"];
  const network = ["--dns", "127.0.0.1", "--sysctl", "net.ipv6.conf.all.disable_ipv6=0"];
  const hosts = Object.entries(hostNames).flatMap(([ip, host]) => ["--add-host", `${host}:${ip}`]);
  const marks = ["--rm", "--detach", "--name", name, "--label", `stagecraft.test=${name}`];
  await docker("run", ...marks, ...rights, ...network, ...hosts, tag, "sleep", "3600");
  try {
    await execa("docker", ["exec", "-i", name, "perl", "-", ...addresses], { input: addAddresses });
    const exec = ["exec", "-i", "--user", "postgres", name];
    const place = ["sh", "-c", "cat >/tmp/program.js"];
    await execa("docker", [...exec, ...place], {
      input: await bundleProgram({ file: "test/support/pg-hba/program.ts" }),
    });
    const { stdout } = await execa("docker", [...exec, "node", "/tmp/program.js"], {
      input: JSON.stringify(job),
      maxBuffer: 2 ** 30,
    });
    return JSON.parse(stdout) as HbaRun;
  } finally {
    await execa("docker", ["rm", "--force", name], { reject: false });
  }
}
