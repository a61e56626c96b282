import { describe, expect, test } from "vitest";
import { z } from "zod";
import {
  canonicalName,
  certificateNameProblem,
  coversName,
} from "../../../../model/tls/certificate-name";
import { tlsRequestSchema } from "../../../../model/tls/protocol";
import {
  authorityRenewalReason,
  suppliedCertificateWarnings,
  serverRenewalReason,
} from "../../../../model/tls/renewal";
import { authorityConfig, serverConfig } from "../../../../model/tls/openssl-config";

const now = new Date("2026-11-22T12:00:00Z");
const inDays = (days: number): Date => new Date(now.getTime() + days * 86_400_000);

describe("a name for a certificate", () => {
  test.each([
    ...["localhost", "db.example.com", "*.example.com", "stagecraft-prod-postgres", "my_db"],
    ...["127.0.0.1", "::1", "2001:db8::7", "1:2:3:4:5:6:7:8", "::"],
  ])("%s is fine", (name) => {
    expect(certificateNameProblem(name)).toBeUndefined();
  });

  test.each([
    ["", "be a DNS name like db.example.com, or an IP address"],
    ["a b", "be a DNS name like db.example.com, or an IP address"],
    ["a,DNS:evil.example", "be an IP address like 192.0.2.7 or 2001:db8::7"],
    ["a\nb", "be a DNS name like db.example.com, or an IP address"],
    ["a..b", "be a DNS name like db.example.com, or an IP address"],
    ["-a.example", "be a DNS name like db.example.com, or an IP address"],
    ["a.*.example", "be a DNS name like db.example.com, or an IP address"],
    [`${"a".repeat(64)}.example`, "be a DNS name like db.example.com, or an IP address"],
    ["192.0.2.256", "be an IP address like 192.0.2.7 or 2001:db8::7"],
    ["192.0.2", "be an IP address like 192.0.2.7 or 2001:db8::7"],
    ["1::2::3", "be an IP address like 192.0.2.7 or 2001:db8::7"],
    ["1:2:3:4:5:6:7", "be an IP address like 192.0.2.7 or 2001:db8::7"],
    ["::12345", "be an IP address like 192.0.2.7 or 2001:db8::7"],
    ["192.0.2.0/24", "be a DNS name like db.example.com, or an IP address"],
  ])("%j must be another", (name, problem) => {
    expect(certificateNameProblem(name)).toBe(problem);
  });

  test("has one way to be written", () => {
    expect(["DB.Example.com", "::1", "2001:db8::A", "192.0.2.7"].map(canonicalName)).toEqual([
      "db.example.com",
      "0:0:0:0:0:0:0:1",
      "2001:DB8:0:0:0:0:0:A",
      "192.0.2.7",
    ]);
  });

  test.each([
    [["db.example.com"], "DB.example.com", true],
    [["*.example.com"], "db.example.com", true],
    [["*.example.com"], "a.db.example.com", false],
    [["*.example.com"], "example.com", false],
    [["*.0.2.7"], "192.0.2.7", false],
    [["0:0:0:0:0:0:0:1"], "::1", true],
    [["localhost"], "localhost2", false],
    [[], "localhost", false],
  ])("of %j is good for %s: %s", (names, wanted, isGood) => {
    expect(coversName(names, wanted)).toBe(isGood);
  });
});

describe("a server's certificate", () => {
  const names = ["localhost", "::1"];

  test.each([
    [names, inDays(30), names, undefined],
    [names, inDays(29.9), names, "it expires in 29 days"],
    [names, inDays(1), names, "it expires in 1 day"],
    [names, inDays(-1), names, "it expired on 2026-11-21"],
    [names, inDays(300), [...names, "db.example.com"], "it lacks db.example.com"],
    [names, inDays(300), ["::1"], "it has localhost, which the server no longer has"],
    [["LOCALHOST", "0:0:0:0:0:0:0:1"], inDays(300), names, undefined],
  ])("with %j until %s for %j is renewed because %s", (own, expires, wanted, reason) => {
    expect(serverRenewalReason({ names: own, expires }, wanted, now)).toBe(reason);
  });

  test("always ends before its authority does", () => {
    expect(authorityRenewalReason(inDays(427), now)).toBeUndefined();
    expect(authorityRenewalReason(inDays(426), now)).toBe("it expires in 426 days");
  });

  test("that was given is only warned of", () => {
    expect(suppliedCertificateWarnings({ names, expires: inDays(300) }, names, now)).toEqual([]);
    expect(
      suppliedCertificateWarnings({ names, expires: inDays(5) }, [...names, "db.example.com"], now),
    ).toEqual([
      "the supplied certificate is for localhost, ::1: clients with sslmode=verify-full will reject db.example.com",
      "the supplied certificate must be replaced: it expires in 5 days",
    ]);
  });
});

describe("a request", () => {
  const problems = (request: Record<string, unknown>): string => {
    const { error } = tlsRequestSchema.safeParse({
      server: "dev",
      names: ["localhost"],
      ...request,
    });
    return error ? z.prettifyError(error) : "";
  };
  const certificate = "-----BEGIN CERTIFICATE-----\n";
  const key = "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n";

  test("needs a name, and good ones", () => {
    expect(problems({ names: [] })).toBe("✖ must have at least one name\n  → at names");
    expect(problems({ names: ["a b"] })).toBe(
      "✖ must be a DNS name like db.example.com, or an IP address\n  → at names[0]",
    );
  });

  test.each([
    [{ certificate }, "✖ is missing; a certificate needs its private key\n  → at key"],
    [{ key }, "✖ is missing; a private key needs its certificate\n  → at certificate"],
    [
      { ca: certificate },
      "✖ is missing; without one the server creates its own CA\n  → at certificate",
    ],
    [
      { certificate: "what?", key },
      "✖ must be a certificate in PEM, with the line -----BEGIN CERTIFICATE-----\n  → at certificate",
    ],
    [
      { certificate, key: "-----BEGIN ENCRYPTED PRIVATE KEY-----\nc2VjcmV0" },
      "✖ must be a private key without a passphrase in PEM, with the line -----BEGIN PRIVATE KEY-----\n  → at key",
    ],
    [{ certificate, key }, ""],
  ])("with %j", (request, problem) => {
    expect(problems(request)).toBe(problem);
  });
});

test("what openssl is told is written from the server's name and the names it is reached by", () => {
  expect(serverConfig("prod", ["db.example.com", "192.0.2.7"])).toBe(`[req]
prompt = no
distinguished_name = subject
x509_extensions = extensions
utf8 = yes
string_mask = utf8only
[subject]
commonName = PostgreSQL of prod
[extensions]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = DNS:db.example.com, IP:192.0.2.7
`);
  expect(authorityConfig(`a"$(reboot)\n${"x".repeat(80)}`)).toContain(
    `\ncommonName = Stagecraft authority of a___reboot__${"x".repeat(28)}\n`,
  );
});
