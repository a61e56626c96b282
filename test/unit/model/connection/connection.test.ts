import { describe, expect, test } from "vitest";
import { addressProblem, formatAddress } from "../../../../model/connection/address";
import { fitnessProblem, majorOf } from "../../../../model/connection/compatibility";
import { renderPassfile } from "../../../../model/connection/passfile";
import { connectionRequestSchema } from "../../../../model/connection/protocol";
import { isFinal, refusalText } from "../../../../model/connection/refusal";

const to = { host: "db.example", port: 5432, user: "boss" };
const fit = { ...to, version: 170_011, isSuperuser: true, isStandby: false };

describe("a server can be looked after", () => {
  test.each([160_014, 170_000, 180_004])("when it is version %i", (version) => {
    expect(fitnessProblem({ ...fit, version })).toBeUndefined();
  });

  test.each([
    [150_018, "15"],
    [90_624, "9.6"],
  ])("but not when it is version %i", (version, major) => {
    expect(fitnessProblem({ ...fit, version })).toBe(
      `PostgreSQL at db.example:5432 is version ${major}; Stagecraft needs 16 to 18, because older ones cannot make memberships that do not inherit; upgrade it`,
    );
  });

  test("but not when it is newer than this Stagecraft knows", () => {
    expect(fitnessProblem({ ...fit, version: 190_000 })).toBe(
      "PostgreSQL at db.example:5432 is version 19; this Stagecraft knows 16 to 18; use a newer Stagecraft",
    );
  });

  test("but not without the superuser's rights", () => {
    expect(fitnessProblem({ ...fit, isSuperuser: false })).toBe(
      'boss is no superuser of PostgreSQL at db.example:5432: it lacks the attribute SUPERUSER; give it with: ALTER ROLE "boss" SUPERUSER',
    );
  });

  test("but not when it is a standby", () => {
    expect(fitnessProblem({ ...fit, isStandby: true })).toBe(
      "PostgreSQL at db.example:5432 is a standby, which takes no changes; give the address of its primary",
    );
  });
});

test.each([
  [180_004, 18],
  [100_023, 10],
  [90_624, 9.6],
])("server_version_num %i is major version %d", (version, major) => {
  expect(majorOf(version)).toBe(major);
});

test.each([
  [
    "ENOTFOUND",
    "",
    "cannot be found: there is no host db.example; correct address.host, or give an IP address",
  ],
  [
    "EHOSTUNREACH",
    "",
    "is not reachable: no answer; correct the address, or open the way to it in the firewall",
  ],
  [
    "",
    "timeout expired",
    "is not reachable: no answer; correct the address, or open the way to it in the firewall",
  ],
  [
    "3D000",
    "",
    "has no database postgres, which the agent works from; make it with: CREATE DATABASE postgres",
  ],
  [
    "CERT_HAS_EXPIRED",
    "certificate has expired",
    "shows a certificate that has ended; renew it there",
  ],
  [
    "53300",
    "sorry, too many clients already",
    "does not let the agent in: sorry, too many clients already",
  ],
])("what a connection ended with, %s %s, becomes a sentence", (code, message, text) => {
  expect(refusalText(to, { code, message })).toBe(`PostgreSQL at db.example:5432 ${text}`);
});

test("only an answer about who asks is final", () => {
  expect(["28P01", "28000", "57P03", "ECONNREFUSED", undefined].filter(isFinal)).toEqual([
    "28P01",
    "28000",
  ]);
});

test.each(["localhost", "LOCALHOST", "127.0.0.1", "127.1.2.3", "::1", "0.0.0.0"])(
  "%s is refused, because in the agent's container it is the container",
  (host) => {
    expect(addressProblem(host)).toMatch(
      /^not lead to the agent's own container, .*172\.17\.0\.1$/,
    );
  },
);

test.each(["", "/run/postgresql", "db.example:5432 x", "a,b", "postgresql://db"])(
  "%j is no address",
  (host) => {
    expect(addressProblem(host)).toMatch(/^be a host name or an IP address/);
  },
);

test.each(["db.example", "10.0.0.7", "2001:db8::7", "bücher.example", "127-0.example"])(
  "%s is an address",
  (host) => {
    expect(addressProblem(host)).toBeUndefined();
  },
);

test("an IPv6 address is told in brackets", () => {
  expect(formatAddress({ host: "2001:db8::7", port: 5433 })).toBe("[2001:db8::7]:5433");
});

test("a password file escapes what separates its fields", () => {
  expect(renderPassfile("a:b\\c d'")).toBe("*:*:*:*:a\\:b\\\\c d'\n");
});

describe("a request", () => {
  const request = { server: "dev", ...to, password: "x", sslmode: "require" };

  test("is whole", () => {
    expect(connectionRequestSchema.parse(request)).toEqual(request);
  });

  test.each([
    [{ password: "two\nlines" }, "must be printable characters alone"],
    [{ password: "" }, "must not be empty"],
    [
      { ca: "-----BEGIN CERTIFICATE-----" },
      "is for verify-full, require checks no certificate; leave one of them out",
    ],
    [
      { ca: "x", sslmode: "verify-full" },
      "must be a certificate in PEM, with the line -----BEGIN CERTIFICATE-----",
    ],
  ])("with %j is refused", (more, text) => {
    const { error } = connectionRequestSchema.safeParse({ ...request, ...more });
    expect(error?.issues[0]?.message).toBe(text);
  });
});
