import { generateKeyPairSync } from "node:crypto";
import { expect, test } from "vitest";
import { hasPassphrase } from "../../../../model/base/private-key";

const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const cipher = { cipher: "aes-256-cbc", passphrase: "secret" } as const;

/** The start of a key in OpenSSH's format, with the name of a cipher. */
function openssh(name: string): string {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(name.length);
  const bytes = Buffer.concat([Buffer.from("openssh-key-v1\0"), length, Buffer.from(name)]);
  const [begin, end] = ["BEGIN", "END"].map((word) => `-----${word} OPENSSH PRIVATE KEY-----`);
  return `${begin ?? ""}\n${bytes.toString("base64")}\n${end ?? ""}\n`;
}

test.each([
  ["PKCS #8", privateKey.export({ type: "pkcs8", format: "pem", ...cipher })],
  ["PKCS #1", privateKey.export({ type: "pkcs1", format: "pem", ...cipher })],
  ["OpenSSH", openssh("aes256-ctr")],
])("a key in the form of %s with a passphrase is recognized", (_, key) => {
  expect(hasPassphrase(key.toString())).toBe(true);
});

test.each([
  ["PKCS #8", privateKey.export({ type: "pkcs8", format: "pem" })],
  ["PKCS #1", privateKey.export({ type: "pkcs1", format: "pem" })],
  ["OpenSSH", openssh("none")],
  ["nothing", ""],
  ["a broken one", "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----"],
])("a key in the form of %s without a passphrase is not", (_, key) => {
  expect(hasPassphrase(key.toString())).toBe(false);
});
