import { describe, expect, test } from "vitest";
import { addressProblem, formatAddress } from "../../../../model/connection/address";
import { compatibilityProblem, majorVersion } from "../../../../model/connection/compatibility";
import { renderPassfile } from "../../../../model/connection/passfile";
import { connectionRequestSchema } from "../../../../model/connection/protocol";
import {
  isAuthenticationError,
  connectionErrorText,
} from "../../../../model/connection/connection-error";

const to = { host: "db.example", port: 5432, user: "boss" };
const fit = { ...to, version: 170_011, isSuperuser: true, isStandby: false };

describe("a server can be looked after", () => {
  test.each([160_014, 170_000, 180_004])("when it is version %i", (version) => {
    expect(compatibilityProblem({ ...fit, version })).toBeUndefined();
  });

  test.each([
    [150_018, "15"],
    [90_624, "9.6"],
  ])("but not when it is version %i", (version, major) => {
    expect(compatibilityProblem({ ...fit, version })).toBe(
      `PostgreSQL at db.example:5432 is version ${major}; Stagecraft needs 16 to 18, because older versions lack GRANT ... WITH INHERIT FALSE; upgrade it`,
    );
  });

  test("but not when it is newer than this Stagecraft knows", () => {
    expect(compatibilityProblem({ ...fit, version: 190_000 })).toBe(
      "PostgreSQL at db.example:5432 is version 19; this Stagecraft supports 16 to 18; upgrade Stagecraft",
    );
  });

  test("but not without the superuser's rights", () => {
    expect(compatibilityProblem({ ...fit, isSuperuser: false })).toBe(
      'boss is not a superuser of PostgreSQL at db.example:5432; make it one with: ALTER ROLE "boss" SUPERUSER',
    );
  });

  test("but not when it is a standby", () => {
    expect(compatibilityProblem({ ...fit, isStandby: true })).toBe(
      "PostgreSQL at db.example:5432 is a standby, which is read-only; use the address of its primary",
    );
  });
});

test.each([
  [180_004, 18],
  [100_023, 10],
  [90_624, 9.6],
])("server_version_num %i is major version %d", (version, major) => {
  expect(majorVersion(version)).toBe(major);
});

test.each([
  [
    "ENOTFOUND",
    "",
    "cannot be found: host db.example does not resolve; correct address.host, or use an IP address",
  ],
  [
    "EHOSTUNREACH",
    "",
    "is not reachable: no answer; correct the address, or allow the connection in the firewall",
  ],
  [
    "",
    "timeout expired",
    "is not reachable: no answer; correct the address, or allow the connection in the firewall",
  ],
  [
    "3D000",
    "",
    "has no database postgres, which the agent connects to; create it with: CREATE DATABASE postgres",
  ],
  ["CERT_HAS_EXPIRED", "certificate has expired", "has an expired certificate; renew it there"],
  [
    "53300",
    "sorry, too many clients already",
    "rejects the agent's connection: sorry, too many clients already",
  ],
])("what a connection ended with, %s %s, becomes a sentence", (code, message, text) => {
  expect(connectionErrorText(to, { code, message })).toBe(`PostgreSQL at db.example:5432 ${text}`);
});

test("only an answer about who asks is final", () => {
  expect(
    ["28P01", "28000", "57P03", "ECONNREFUSED", undefined].filter(isAuthenticationError),
  ).toEqual(["28P01", "28000"]);
});

test.each(["localhost", "LOCALHOST", "127.0.0.1", "127.1.2.3", "::1", "0.0.0.0"])(
  "%s is refused, because in the agent's container it is the container",
  (host) => {
    expect(addressProblem(host)).toMatch(
      /^not be a loopback or wildcard address, .*172\.17\.0\.1$/,
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
    [{ password: "two\nlines" }, "must consist of printable characters"],
    [{ password: "" }, "must not be empty"],
    [
      { ca: "-----BEGIN CERTIFICATE-----" },
      "requires sslmode verify-full, require does not verify the certificate; remove one of them",
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
